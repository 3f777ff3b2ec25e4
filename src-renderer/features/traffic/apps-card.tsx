import type { TrafficEntry } from '#shared/contract/node/traffic.js'
import { strings } from '../../strings/all.js'
import { formatNumber } from '../../strings/format.js'
import { Card } from '../../ui/layout/card.js'
import { DataTable, type Column } from '../../ui/table/data-table.js'
import { Visible } from '../../ui/text/visible.js'
import { hasFailed } from './filter.js'

const { apps: words } = strings.traffic

/** What one app, known by its API key, asked for. */
interface AppUse {
  /** Null for those that showed no key. */
  key: string | null
  requests: number
  failed: number
  tokens: number
}

/** Which app of this computer used how much, where apps show keys. */
export function AppsCard({ entries }: { entries: readonly TrafficEntry[] }) {
  const rows = usageByApp(entries)
  if (rows.every(({ key }) => key === null)) return null
  return (
    <Card title={words.title} aside={<small>{words.of(entries.length)}</small>} flush>
      <DataTable label={words.title} columns={COLUMNS} rows={rows} rowKey={({ key }) => key ?? ''} />
    </Card>
  )
}

/** The requests of apps of this computer by API key, the busiest first. */
function usageByApp(entries: readonly TrafficEntry[]): AppUse[] {
  const byKey = new Map<string | null, AppUse>()
  for (const entry of entries) {
    if (entry.direction === 'in') continue
    const use = byKey.get(entry.key) ?? { key: entry.key, requests: 0, failed: 0, tokens: 0 }
    use.requests += 1
    use.failed += hasFailed(entry) ? 1 : 0
    use.tokens += entry.tokens ?? 0
    byKey.set(entry.key, use)
  }
  return [...byKey.values()].sort((a, b) => b.requests - a.requests)
}

const COLUMNS: readonly Column<AppUse>[] = [
  { key: 'app', header: words.app, cell: ({ key }) => <Visible text={key ?? words.none} /> },
  {
    key: 'requests',
    largestFirst: true,
    header: words.requests,
    numeric: true,
    width: 120,
    sortBy: ({ requests }) => requests,
    cell: ({ requests }) => formatNumber(requests),
  },
  {
    key: 'failed',
    largestFirst: true,
    header: words.failed,
    numeric: true,
    width: 100,
    sortBy: ({ failed }) => failed,
    cell: ({ failed }) => formatNumber(failed),
  },
  {
    key: 'tokens',
    largestFirst: true,
    header: words.tokens,
    numeric: true,
    width: 190,
    sortBy: ({ tokens }) => tokens,
    cell: ({ tokens }) => formatNumber(tokens),
  },
]
