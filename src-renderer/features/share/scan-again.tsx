import { useClient } from '../../stores/hooks.js'
import { strings } from '../../strings.js'
import { Button } from '../../ui/button.js'
import { useAction } from '../../ui/use-action.js'

/** Scans for servers now. */
export function ScanAgain() {
  const client = useClient()
  const { busy, run } = useAction()
  return (
    <Button
      icon="refresh"
      disabled={busy}
      onClick={() => run(() => client.call('detection.scan', {}), strings.share.scanned)}
    >
      {strings.share.scan}
    </Button>
  )
}
