import type { TrafficEntry } from '#shared/contract/node/traffic.js'
import { strings } from '../../strings/all.js'
import { Badge } from '../../ui/text/badge.js'
import { causeOf } from './cause.js'

const { traffic: words } = strings

/** How a request ended, or that it runs. */
export function Outcome({ entry }: { entry: TrafficEntry }) {
  if (entry.cancelledBy !== null) {
    return <Badge title={words.cancelled[entry.cancelledBy]}>{words.cancelledShort}</Badge>
  }
  if (entry.error !== null) {
    return (
      <Badge tone="bad" title={`${causeOf(entry.error)} (${entry.error})`}>
        {entry.status ?? entry.error}
      </Badge>
    )
  }
  if (entry.durationMs === null) return <Badge tone="accent">{words.running}</Badge>
  return (
    <Badge tone={entry.status !== null && entry.status < 400 ? 'good' : 'bad'}>{entry.status ?? strings.unknown}</Badge>
  )
}
