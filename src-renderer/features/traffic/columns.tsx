import { isUnanswered, type TrafficEntry } from '#shared/contract/node/traffic.js'
import { linkTo } from '../../stores/route.js'
import { tokensPerSecond } from '../../stores/traffic-figures.js'
import { strings } from '../../strings/all.js'
import { formatBytes, formatClock, formatDecimal, formatExact, formatMs } from '../../strings/format.js'
import { Icon } from '../../ui/icons/icon.js'
import type { Column } from '../../ui/table/data-table.js'
import { LongName } from '../../ui/text/long-name.js'
import { PeerName } from '../../ui/text/peer-name.js'
import { Visible } from '../../ui/text/visible.js'
import { Outcome } from './outcome.js'
import styles from './traffic-page.module.css'

const { column, ...words } = strings.traffic
const orUnknown = <T,>(value: T | null, show: (value: T) => React.ReactNode): React.ReactNode =>
  value === null ? strings.unknown : show(value)

/** The columns of the live list. */
export const TRAFFIC_COLUMNS: readonly Column<TrafficEntry>[] = [
  {
    key: 'time',
    header: column.time,
    width: 92,
    cell: (entry) => (
      <a
        className={styles['time']}
        href={linkTo('traffic', entry.id)}
        aria-label={words.open(formatClock(entry.atMs))}
        title={formatExact(entry.atMs)}
      >
        {formatClock(entry.atMs)}
      </a>
    ),
  },
  {
    key: 'direction',
    header: column.direction,
    minor: 4,
    width: 84,
    cell: (entry) =>
      isUnanswered(entry) ? (
        <span className={styles['way']} title={words.unansweredHint}>
          <Icon name="alert" size={15} />
          {words.unanswered}
        </span>
      ) : (
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
      <span title={`${entry.model ?? ''}\n${entry.method} ${entry.route}`.trim()}>
        {entry.model === null ? (
          `${entry.method} ${entry.route}`
        ) : (
          <code>
            <LongName name={entry.model} />
          </code>
        )}
      </span>
    ),
  },
  {
    key: 'peer',
    header: column.peer,
    minor: 5,
    width: 122,
    cell: (entry) => orUnknown(entry.peer, (peerId) => <PeerName peerId={peerId} isStop={false} />),
  },
  {
    key: 'key',
    header: column.key,
    hint: words.keyHint,
    minor: 3,
    width: 104,
    cell: (entry) =>
      orUnknown(entry.key, (key) => (
        <span title={key}>
          <Visible text={key} />
        </span>
      )),
  },
  { key: 'status', header: column.status, width: 112, cell: (entry) => <Outcome entry={entry} /> },
  {
    key: 'path',
    header: column.path,
    minor: 1,
    width: 104,
    cell: (entry) => orUnknown(entry.path, (path) => words.path[path]),
  },
  {
    key: 'tries',
    header: column.tries,
    hint: strings.glossary.tries,
    numeric: true,
    minor: 1,
    width: 98,
    cell: (entry) => entry.tries,
  },
  {
    key: 'ttft',
    header: column.ttft,
    hint: strings.glossary.ttft,
    numeric: true,
    minor: 2,
    width: 102,
    cell: (entry) => orUnknown(entry.ttfbMs, formatMs),
  },
  {
    key: 'duration',
    header: column.duration,
    numeric: true,
    minor: 2,
    width: 90,
    cell: (entry) => orUnknown(entry.durationMs, formatMs),
  },
  {
    key: 'speed',
    header: column.speed,
    numeric: true,
    minor: 1,
    width: 80,
    cell: (entry) => orUnknown(tokensPerSecond(entry), (speed) => formatDecimal(speed, 1)),
  },
  {
    key: 'tokens',
    header: column.tokens,
    numeric: true,
    minor: 4,
    width: 74,
    cell: (entry) => <span title={words.bytes(formatBytes(entry.bytesOut))}>{orUnknown(entry.tokens, String)}</span>,
  },
]

/** The same where no app has shown a key of its own. */
export const COLUMNS_WITHOUT_KEYS = TRAFFIC_COLUMNS.filter(({ key }) => key !== 'key')
