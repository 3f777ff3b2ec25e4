import type { TrafficEntry } from '#shared/contract/traffic.js'
import { strings } from '../../strings.js'
import { Badge } from '../../ui/badge.js'
import type { Column } from '../../ui/data-table.js'
import { formatBytes, formatClock, formatExact, formatMs } from '../../ui/format.js'
import { Icon } from '../../ui/icon.js'
import { PeerName } from '../../ui/peer-name.js'
import { tokensPerSecond } from './speed.js'
import styles from './traffic-page.module.css'

const { column, ...words } = strings.traffic
const orUnknown = <T,>(value: T | null, show: (value: T) => React.ReactNode): React.ReactNode =>
  value === null ? strings.unknown : show(value)

/** The columns of the live list. */
export const TRAFFIC_COLUMNS: readonly Column<TrafficEntry>[] = [
  {
    key: 'time',
    header: column.time,
    cell: (entry) => <time title={formatExact(entry.atMs)}>{formatClock(entry.atMs)}</time>,
  },
  {
    key: 'direction',
    header: column.direction,
    cell: (entry) => (
      <span className={styles['way']} title={words.directionHint[entry.direction]}>
        <Icon name={entry.direction} size={15} />
        {words.direction[entry.direction]}
      </span>
    ),
  },
  {
    key: 'model',
    header: column.model,
    cell: (entry) => (
      <span title={`${entry.method} ${entry.route}`}>
        {entry.model === null ? `${entry.method} ${entry.route}` : <code>{entry.model}</code>}
      </span>
    ),
  },
  {
    key: 'peer',
    header: column.peer,
    cell: (entry) => orUnknown(entry.peer, (peerId) => <PeerName peerId={peerId} />),
  },
  { key: 'status', header: column.status, cell: (entry) => <Outcome entry={entry} /> },
  {
    key: 'path',
    header: column.path,
    minor: true,
    cell: (entry) => orUnknown(entry.path, (path) => words.path[path]),
  },
  {
    key: 'tries',
    header: column.tries,
    hint: strings.glossary.tries,
    numeric: true,
    minor: true,
    cell: (entry) => entry.tries,
  },
  {
    key: 'ttft',
    header: column.ttft,
    hint: strings.glossary.ttft,
    numeric: true,
    cell: (entry) => orUnknown(entry.ttfbMs, formatMs),
  },
  { key: 'duration', header: column.duration, numeric: true, cell: (entry) => orUnknown(entry.durationMs, formatMs) },
  {
    key: 'speed',
    header: column.speed,
    numeric: true,
    minor: true,
    cell: (entry) => orUnknown(tokensPerSecond(entry), (speed) => speed.toFixed(1)),
  },
  {
    key: 'tokens',
    header: column.tokens,
    numeric: true,
    cell: (entry) => <span title={words.bytes(formatBytes(entry.bytesOut))}>{orUnknown(entry.tokens, String)}</span>,
  },
]

function Outcome({ entry }: { entry: TrafficEntry }) {
  if (entry.cancelledBy !== null) {
    return <Badge title={words.cancelled[entry.cancelledBy]}>{words.cancelledShort}</Badge>
  }
  if (entry.error !== null) {
    return (
      <Badge tone="bad" title={entry.error}>
        {entry.status ?? entry.error}
      </Badge>
    )
  }
  if (entry.durationMs === null) return <Badge tone="accent">{words.running}</Badge>
  return (
    <Badge tone={entry.status !== null && entry.status < 400 ? 'good' : 'bad'}>{entry.status ?? strings.unknown}</Badge>
  )
}
