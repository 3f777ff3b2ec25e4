import { useState } from 'react'
import { dataOf } from '../stores/feed-store.js'
import { useCapabilities, useClient, useFeed } from '../stores/hooks.js'
import { strings } from '../strings.js'
import { Button } from '../ui/controls/button.js'
import { Notice } from '../ui/feedback/notice.js'
import { useAction } from '../ui/feedback/use-action.js'

const { update: words } = strings

/** Says on every page that a newer version waits for a restart, until the person puts it off. */
export function UpdateBanner() {
  const state = dataOf(useFeed('update'))
  const canUpdate = useCapabilities().includes('self-update')
  const client = useClient()
  const { busy, run } = useAction()
  const [later, setLater] = useState<string>()
  if (!canUpdate || state?.kind !== 'ready' || state.version === later) return null
  return (
    <Notice
      tone="good"
      title={words.readyTitle(state.version)}
      actions={
        <>
          <Button primary disabled={busy} onClick={() => run(() => client.call('app.installUpdate', {}))}>
            {words.install}
          </Button>
          <Button onClick={() => setLater(state.version)}>{words.later}</Button>
        </>
      }
    >
      {words.readyBody}
    </Notice>
  )
}
