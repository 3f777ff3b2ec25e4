import type { UpdateState } from '#shared/contract/node/update.js'
import { dataOf } from '../../../stores/feed-store.js'
import { useCapabilities, useClient, useFeed } from '../../../stores/hooks.js'
import { strings } from '../../../strings.js'
import { Button } from '../../../ui/controls/button.js'
import { useAction } from '../../../ui/feedback/use-action.js'
import styles from './update-row.module.css'

const { update: words } = strings

/** How far a newer version is, and the next step where this place can take it. */
export function UpdateRow() {
  const state = dataOf(useFeed('update'))
  const canUpdate = useCapabilities().includes('self-update')
  const client = useClient()
  const { busy, run } = useAction()
  if (state === undefined) return null
  const step = stepOf(state)
  return (
    <span className={styles['update']}>
      <span role="status">{sentenceOf(state)}</span>
      {canUpdate && step !== undefined && (
        <Button disabled={busy} primary={step.name === 'install'} onClick={() => run(() => client.call(step.call, {}))}>
          {words[step.name]}
        </Button>
      )}
    </span>
  )
}

/** What is known, in one sentence. */
function sentenceOf(state: UpdateState): string {
  switch (state.kind) {
    case 'unsupported':
    case 'failed':
      return state.sentence
    case 'none':
      return state.checkedAtMs === null ? words.never : words.none
    case 'checking':
      return words.checking
    case 'available':
      return words.available(state.version)
    case 'downloading':
      return words.downloading(state.version, state.percent)
    case 'ready':
      return words.ready(state.version)
  }
}

/** What the person can do next; undefined while something is under way or nothing can be done. */
function stepOf({ kind }: UpdateState) {
  if (kind === 'none' || kind === 'failed') return { name: 'check', call: 'app.checkForUpdates' } as const
  if (kind === 'available') return { name: 'download', call: 'app.downloadUpdate' } as const
  if (kind === 'ready') return { name: 'install', call: 'app.installUpdate' } as const
  return undefined
}
