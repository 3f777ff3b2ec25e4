import type { BootstrapSourceView } from '#shared/contract/network/bootstrap.js'
import type { Status } from '#shared/contract/node/node.js'
import { useFeed } from '../../stores/hooks.js'
import { strings } from '../../strings.js'
import { Empty } from '../../ui/feedback/empty.js'
import { FeedView } from '../../ui/feedback/feed-view.js'
import { Card } from '../../ui/layout/card.js'
import { DataTable, type Column } from '../../ui/table/data-table.js'
import { Badge, type Tone } from '../../ui/text/badge.js'
import { TimeAgo } from '../../ui/text/time-ago.js'
import { Visible } from '../../ui/text/visible.js'
import { Words } from '../../ui/text/words.js'
import styles from './network-page.module.css'

const { bootstrap: words } = strings.network

const TONES: Readonly<Record<BootstrapSourceView['state'], Tone>> = {
  ok: 'good',
  waiting: 'neutral',
  failed: 'warn',
  bad: 'bad',
}

/** Where this node asks for its first peers, each with its last result. */
export function BootstrapCard({ mode }: { mode: Status['mode'] | undefined }) {
  const state = useFeed('bootstrap')
  return (
    <Card title={words.title} flush>
      <FeedView state={state}>
        {(sources) =>
          sources.length === 0 ? (
            <Empty icon="network" title={words.empty}>
              <Words text={words.emptyHint[mode === 'standalone' ? 'standalone' : 'other']} />
            </Empty>
          ) : (
            <DataTable label={words.title} columns={COLUMNS} rows={sources} rowKey={rowKey} />
          )
        }
      </FeedView>
    </Card>
  )
}

const rowKey = ({ setting, source }: BootstrapSourceView): string => `${setting} ${source}`

const COLUMNS: readonly Column<BootstrapSourceView>[] = [
  {
    key: 'source',
    header: words.column.source,
    cell: ({ source, setting }) => (
      <code className={styles['source']} title={`${source} (${setting})`}>
        <Visible text={source} />
      </code>
    ),
  },
  {
    key: 'state',
    header: words.column.state,
    width: 130,
    cell: ({ state, reason }) => (
      <Badge tone={TONES[state]} title={reason ?? words.hint[state]}>
        {words.state[state]}
      </Badge>
    ),
  },
  {
    key: 'result',
    header: words.column.result,
    width: 260,
    cell: (source) => {
      const text = resultOf(source)
      return (
        <span title={text}>
          <Visible text={text} />
        </span>
      )
    },
  },
  {
    key: 'asked',
    header: words.column.asked,
    numeric: true,
    width: 110,
    cell: ({ askedAtMs }) => (askedAtMs === null ? strings.unknown : <TimeAgo atMs={askedAtMs} />),
  },
]

function resultOf({ state, addresses, reason }: BootstrapSourceView): string {
  if (state === 'waiting') return words.hint.waiting
  if (state === 'ok') return [words.reported(addresses), ...(reason === null ? [] : [reason])].join('; ')
  return reason ?? words.hint[state]
}
