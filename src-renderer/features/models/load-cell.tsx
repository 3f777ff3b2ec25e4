import { strings } from '../../strings.js'
import { Badge } from '../../ui/text/badge.js'
import type { ModelLoad } from './load.js'

const { load: words } = strings.models

/** Slots in use of all there are, and who waits. */
export function LoadCell({ load }: { load: ModelLoad | undefined }) {
  if (load === undefined) return <span title={words.unknownHint}>{strings.unknown}</span>
  if (load.paused) return <Badge title={words.pausedHint}>{words.paused}</Badge>
  return (
    <span title={words.hint(load)}>
      {words.used(load.used, load.total)}
      {load.waiting > 0 && ` ${words.waiting(load.waiting)}`}
    </span>
  )
}
