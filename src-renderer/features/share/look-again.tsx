import { useClient } from '../../stores/hooks.js'
import { strings } from '../../strings.js'
import { Button } from '../../ui/controls/button.js'
import { useAction } from '../../ui/feedback/use-action.js'

/** Looks for servers now. */
export function LookAgain() {
  const client = useClient()
  const { busy, run } = useAction()
  return (
    <Button
      icon="refresh"
      disabled={busy}
      onClick={() => run(() => client.call('detection.look', {}), strings.share.looked)}
    >
      {strings.share.look}
    </Button>
  )
}
