import { readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { readFigures } from './bench.ts'
import { linesOverNodes, stackedBars } from './plots.ts'
import type { RequestFigures } from './requests/requests.ts'
import type { ScenarioFigures } from './run-scenario.ts'

// Makes the tables of docs/scale.md and the pictures beside docs/scale/figures.json from these figures.
// Usage: node test/bench/network-sim/write-docs.ts

const DOCS = resolve(import.meta.dirname, '../../../docs')
const FOLDER = join(DOCS, 'scale')
const figures = readFigures(join(FOLDER, 'figures.json'))
const of = (scenario: string): ScenarioFigures[] => figures.filter((each) => each.scenario === scenario)

/** A network that came apart is not at rest: each connection that joins it again is counted as if it stayed. */
const atRest = figures.filter(({ scenario }) => scenario !== 'split')

const count = (value: number): string => Math.round(value).toLocaleString('en-US')
const percent = (value: number): string => `${(100 * value).toFixed(1)} %`
const seconds = (ms: number): string => `${(ms / 1000).toFixed(2)} s`

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [line(head), line(head.map((_, index) => (index === 0 ? '---' : '---:'))), ...rows.map(line)].join('\n')
}

function named({ scenario, nodes }: ScenarioFigures): string {
  return `${scenario}, ${count(nodes)}`
}

const idleTable = table(
  [
    'Scenario, nodes',
    'median B/s',
    'p99',
    'most',
    'volunteers, median',
    'rows held',
    'MiB',
    'owner gone',
    'reached by a row',
  ],
  atRest.map((each) => {
    const { bytesPerS, volunteersPerS, rows, tableMiB, goneRows, reachedNodes } = each.idle
    const rates = [bytesPerS.median, bytesPerS.p99, bytesPerS.max, volunteersPerS.median].map(count)
    const isFormer = each.scenario === 'former'
    return [
      ...[named(each), ...rates, isFormer ? '–' : count(rows.mean)],
      ...[isFormer ? '–' : tableMiB.toFixed(0), isFormer ? '–' : percent(goneRows), count(reachedNodes)],
    ]
  }),
)

const protocolTable = table(
  ['Scenario, nodes', ...Object.keys(figures[0]?.idle.perProtocol ?? {})],
  atRest.map((each) => [named(each), ...Object.values(each.idle.perProtocol).map(count)]),
)

const WHY_FAILED = ['nobody-named', 'nobody-there', 'liars'] as const

const requestTable = table(
  [
    ...['Scenario, nodes', 'asked for', 'answered', 'found, p50', 'p99', 'asked the DHT', 'first try went wrong'],
    ...['failed: nobody named', 'nobody there', 'liars alone'],
  ],
  figures.flatMap((each) =>
    Object.entries(each.requests).map(([kind, request]: [string, RequestFigures]) => [
      ...[named(each), { byPopularity: 'as people ask', popular: 'popular', rare: 'rare' }[kind] ?? kind],
      ...[percent(request.answered), seconds(request.foundMs.p50), seconds(request.foundMs.p99)],
      ...[percent(request.lookedUp), percent(request.wrongFirst)],
      ...WHY_FAILED.map((why) => (request.failed === undefined ? '–' : percent(request.failed[why] ?? 0))),
    ]),
  ),
)

/** What is a scenario's own, by its name in the figures and in words; of relays it is in a table of its own. */
const SPECIAL: Record<string, string> = {
  newcomers: 'newcomers',
  bootstrapMiB: 'MiB of the busiest bootstrap node',
  bootstrapConnections: 'its connections',
  beyondBefore: 'rows of the other side, before',
  beyondAtTheEnd: 'at the end of the split',
  beyondAfter1min: 'a minute later',
  beyondAfter5min: '5 minutes later',
  beyondAfter15min: '15 minutes later',
  beyondAfter30min: '30 minutes later',
  beyondAfter60min: 'an hour later',
  linksAfter1min: 'connections to the other side, a minute later',
  linksAfter5min: '5 minutes later',
  linksAfter15min: '15 minutes later',
  linksAfter30min: '30 minutes later',
}

const specialTable = table(
  ['Scenario, nodes', 'figure', 'value'],
  figures.flatMap((each) =>
    Object.entries(SPECIAL).flatMap(([name, words]) => {
      const value = each.special[name]
      return value === undefined ? [] : [[named(each), words, value.toFixed(2)]]
    }),
  ),
)

const relayTable = table(
  [
    ...['Scenario, nodes', 'relays in use', 'peers of one, median', 'most', 'connections, median', 'most'],
    ...['B/s, median', 'p99', 'found no relay'],
  ],
  atRest
    .filter(({ special }) => special['relays'] !== undefined)
    .map((each) => [
      named(each),
      ...[
        ...['relays', 'relayClientsMedian', 'relayClientsMost', 'relayConnectionsMedian', 'relayConnectionsMost'],
        ...['relayBytesPerSMedian', 'relayBytesPerSP99', 'withoutRelay'],
      ].map((name) => count(each.special[name] ?? 0)),
    ]),
)

function replaced(page: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name}:begin -->`, `<!-- ${name}:end -->`]
  const [from, to] = [page.indexOf(begin), page.indexOf(end)]
  if (from < 0 || to < 0) throw new Error(`docs/scale.md has no place for ${name}`)
  return `${page.slice(0, from + begin.length)}\n\n${content}\n\n${page.slice(to)}`
}

const file = join(DOCS, 'scale.md')
let page = readFileSync(file, 'utf8')
for (const [name, content] of Object.entries({
  idle: idleTable,
  protocols: protocolTable,
  requests: requestTable,
  relays: relayTable,
  special: specialTable,
})) {
  page = replaced(page, name, content)
}
writeFileSync(file, page)

const columns = [...of('former'), ...of('quiet')].map((each) => ({
  name: `${each.scenario === 'former' ? 'before' : 'now'}, ${each.nodes >= 1000 ? `${String(each.nodes / 1000)}k` : String(each.nodes)}`,
  parts: each.idle.perProtocol,
}))
const barsOf = (name: string, title: string, shown: typeof columns): void =>
  writeFileSync(
    join(FOLDER, name),
    stackedBars({
      title,
      unit: 'bytes a second that a node sends, on average',
      columns: shown,
      limit: { value: 1024, name: '1 KB/s' },
    }),
  )
barsOf(
  'bytes-before.svg',
  'What an idle node sent before there were partial tables',
  columns.filter(({ name }) => name.startsWith('before')),
)
barsOf(
  'bytes.svg',
  'What an idle node sends',
  columns.filter(({ name }) => name.startsWith('now')),
)

const quiet = of('quiet').filter(({ requests }) => requests.byPopularity !== undefined)
const line = (name: string, kind: 'byPopularity' | 'rare', p: 'p50' | 'p99') => ({
  name,
  points: quiet.flatMap(({ nodes, requests }) => {
    const ms = requests[kind]?.foundMs[p]
    return ms === undefined ? [] : [[nodes, ms / 1000] as const]
  }),
})
writeFileSync(
  join(FOLDER, 'finding.svg'),
  linesOverNodes({
    title: 'Until somebody who offers the model has said yes',
    unit: 'seconds',
    lines: [
      line('as people ask, p50', 'byPopularity', 'p50'),
      line('as people ask, p99', 'byPopularity', 'p99'),
      line('rare models, p50', 'rare', 'p50'),
      line('rare models, p99', 'rare', 'p99'),
    ],
    limit: { value: 5, name: '5 s' },
  }),
)
writeFileSync(
  join(FOLDER, 'load.svg'),
  linesOverNodes({
    title: 'What an idle node sends or gets, whichever is more',
    unit: 'bytes a second',
    lines: [
      { name: 'median', points: of('quiet').map(({ nodes, idle }) => [nodes, idle.bytesPerS.median] as const) },
      { name: 'p99', points: of('quiet').map(({ nodes, idle }) => [nodes, idle.bytesPerS.p99] as const) },
      { name: 'most', points: of('quiet').map(({ nodes, idle }) => [nodes, idle.bytesPerS.max] as const) },
      {
        name: 'volunteers, median',
        points: of('quiet').map(({ nodes, idle }) => [nodes, idle.volunteersPerS.median] as const),
      },
    ],
    limit: { value: 1024, name: '1 KB/s' },
  }),
)
