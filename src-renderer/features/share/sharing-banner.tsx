import { useClient } from '../../stores/hooks.js'
import { linkTo } from '../../stores/route.js'
import type { SharingState } from '../../stores/sharing-state.js'
import { strings } from '../../strings/all.js'
import { formatTime } from '../../strings/format.js'
import { Button } from '../../ui/controls/button.js'
import { Notice } from '../../ui/feedback/notice.js'
import { useAction } from '../../ui/feedback/use-action.js'
import styles from './share-page.module.css'

const { share: words } = strings

/** The page's first sentence, where sharing is not simply on or off; undefined where it is. */
export function sentenceOf(state: SharingState): string | undefined {
  switch (state.kind) {
    case 'paused':
      return state.untilMs === null
        ? words.paused(state.sentence)
        : words.pausedUntil(state.sentence, formatTime(state.untilMs))
    case 'down':
      return words.down(state.servers)
    case 'starting':
      return words.starting(state.servers)
    case 'closed':
      return words.closed
    case 'nothing':
    case 'full':
    case 'open':
      return undefined
  }
}

/** What follows from the state of sharing, and what can be done about it. */
export function SharingBanner({ state }: { state: SharingState }) {
  switch (state.kind) {
    case 'nothing':
      return null
    case 'paused':
      return <Paused byHand={state.byHand} running={state.running} />
    case 'down':
      return <Notice tone="warn">{words.downHint(state.servers)}</Notice>
    case 'starting':
      return <Notice tone="neutral">{words.startingHint}</Notice>
    case 'closed':
      return (
        <Notice tone="warn">
          {words.closedHint} <a href={linkTo('settings', 'limits.concurrent')}>{words.closedAction}</a>
        </Notice>
      )
    case 'full':
      return (
        <>
          <Notice tone="neutral">{words.full(state.slots)}</Notice>
          <PauseButtons />
        </>
      )
    case 'open':
      return (
        <>
          {state.down.length > 0 && <Notice tone="warn">{words.someDown(state.down)}</Notice>}
          <PauseButtons />
        </>
      )
  }
}

function PauseButtons() {
  const client = useClient()
  const { busy, run } = useAction()
  return (
    <div className={styles['pauses']} role="group" aria-label={words.pauseTitle}>
      {Object.entries(words.pauseFor).map(([key, { title, ms }]) => (
        <Button
          key={key}
          icon="pause"
          disabled={busy}
          onClick={() => run(() => client.call('pause.set', { forMs: ms }), words.pausedDone)}
        >
          {title}
        </Button>
      ))}
    </div>
  )
}

function Paused({ byHand, running }: { byHand: boolean; running: number }) {
  const client = useClient()
  const { busy, run } = useAction()
  return (
    <Notice
      tone="warn"
      actions={
        byHand && (
          <Button
            icon="play"
            disabled={busy}
            onClick={() => run(() => client.call('pause.resume', {}), words.resumedDone)}
          >
            {words.resume}
          </Button>
        )
      }
    >
      {words.pausedHint} {running > 0 && words.stillRunning(running)}
    </Notice>
  )
}
