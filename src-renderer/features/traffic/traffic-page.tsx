import { useState } from 'react'
import type { TrafficEntry } from '#shared/contract/traffic.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFeed } from '../../stores/hooks.js'
import { strings } from '../../strings.js'
import { Button } from '../../ui/button.js'
import { Card } from '../../ui/card.js'
import { DataTable } from '../../ui/data-table.js'
import { Empty } from '../../ui/empty.js'
import { FeedView } from '../../ui/feed-view.js'
import { Page } from '../../ui/page.js'
import { TRAFFIC_COLUMNS } from './columns.js'

const { traffic: words } = strings

/** Rows drawn; the rest is for `ocf` and exports. */
const MAX_ROWS = 200

/** "What went through me?" */
export function TrafficPage() {
  const state = useFeed('traffic')
  const today = dataOf(useFeed('status'))?.requestsToday
  const [frozen, setFrozen] = useState<readonly TrafficEntry[]>()
  const live = dataOf(state)

  const fresh = frozen === undefined || live === undefined ? 0 : countNew(frozen, live)
  const toggle = (): void => setFrozen(frozen === undefined ? live : undefined)
  return (
    <Page
      name={strings.nav.traffic}
      sentence={today === undefined ? strings.state.loading : words.sentence(today.in, today.out, today.local)}
      actions={
        live !== undefined &&
        live.length > 0 && (
          <Button icon={frozen === undefined ? 'pause' : 'play'} onClick={toggle} pressed={frozen !== undefined}>
            {frozen === undefined ? words.pause : words.resume(fresh)}
          </Button>
        )
      }
    >
      <FeedView state={state}>{(entries) => <Requests entries={frozen ?? entries} />}</FeedView>
    </Page>
  )
}

function countNew(frozen: readonly TrafficEntry[], live: readonly TrafficEntry[]): number {
  const last = frozen.at(-1)?.id
  return live.length - 1 - live.findLastIndex((entry) => entry.id === last)
}

function Requests({ entries }: { entries: readonly TrafficEntry[] }) {
  if (entries.length === 0) {
    return (
      <Card>
        <Empty icon="traffic" title={words.empty}>
          {words.emptyHint}
        </Empty>
      </Card>
    )
  }
  const rows = entries.slice(-MAX_ROWS).toReversed()
  return (
    <Card title={words.shown(rows.length)} flush>
      <DataTable label={strings.nav.traffic} columns={TRAFFIC_COLUMNS} rows={rows} rowKey={(entry) => entry.id} />
    </Card>
  )
}
