import { median, percentile } from '../statistics.js'
import { COSTS } from './costs.js'
import { Network } from './network.js'
import { askedPerS } from './proving.js'
import type { Scenario } from './scenario.js'
import { PROTOCOLS, type SPENT } from './traffic.js'

const MIB = 1024 * 1024
/** What a row takes in memory, measured (docs/decisions/0019): heap and buffers at 10,000 rows. */
const ROW_MEMORY_BYTES = 6_700
/** A node that was there for less is not counted. */
const LEAST_COUNTED_MS = 180_000
/** From then on a node idles: what a start costs is over. */
const AT_REST_AFTER_MS = 600_000

/** What an idle node of a network sends, or gets where that is more. */
export interface IdleFigures {
  online: number
  bytesPerS: { median: number; p99: number; max: number }
  /** The same of those who offer a relay and a bootstrap node, which is what they are there for. */
  volunteersPerS: { median: number; max: number }
  perProtocol: Record<string, number>
  rows: { mean: number; max: number }
  tableMiB: number
  isPartial: boolean
  /** Of the rows in tables, those whose owner has gone. */
  goneRows: number
  reachedNodes: number
  visibleMs: { p50: number; p99: number }
}

/** Runs a network until it is at rest, and counts. */
export function runNetwork(
  scenario: Scenario,
  during?: (network: Network) => void,
): { network: Network; idle: IdleFigures } {
  const network = new Network(scenario)
  network.run(scenario.warmUpMs)
  network.startCounting()
  network.run(scenario.warmUpMs + scenario.measureMs / 2)
  during?.(network)
  network.run(scenario.warmUpMs + scenario.measureMs)
  network.stopCounting()
  return { network, idle: idleFigures(network) }
}

function idleFigures(network: Network): IdleFigures {
  const { population, countedMs, joinedAtMs, traffic, overlay, observers, counted } = network
  const asking = askedPerS(network) * (COSTS.connectBytes + COSTS.statusAnswerBytes)
  const rates: number[] = []
  const volunteers: number[] = []
  const totals = PROTOCOLS.map(() => 0)
  let seconds = 0
  for (let node = 0; node < population.size; node += 1) {
    const ms = countedMs[node] ?? 0
    const isAtRest = (joinedAtMs[node] ?? 0) <= network.scenario.warmUpMs - AT_REST_AFTER_MS
    if (ms < LEAST_COUNTED_MS || !isAtRest) continue
    const rate = (traffic.of(node) / ms) * 1000 + asking
    if (population.reach[node] === 0) volunteers.push(rate)
    else rates.push(rate)
    seconds += ms / 1000
    for (const index of totals.keys())
      totals[index] = (totals[index] ?? 0) + traffic.sentBy(node, index as (typeof SPENT)['rows'])
  }
  const sizes = observers.nodes.map((node) => network.rowsOf(node))
  const perProtocol = Object.fromEntries(PROTOCOLS.map((name, index) => [name, (totals[index] ?? 0) / seconds]))
  perProtocol['statuses'] = (perProtocol['statuses'] ?? 0) + asking
  const everyRow = observers.nodes.flatMap((node) => [...(observers.view(node)?.rows() ?? [])])
  const gone = everyRow.filter(({ peerId }) => overlay.online[Number(peerId.slice('12D3KooWnode'.length))] !== 1)
  return {
    online: overlay.everybody.size,
    bytesPerS: { median: median(rates), p99: percentile(rates, 99), max: Math.max(...rates.slice(0, 100_000)) },
    volunteersPerS: { median: median(volunteers), max: Math.max(...volunteers) },
    perProtocol,
    rows: { mean: sizes.reduce((sum, size) => sum + size, 0) / sizes.length, max: Math.max(...sizes) },
    tableMiB: (Math.max(...sizes) * ROW_MEMORY_BYTES) / MIB,
    isPartial: observers.nodes.some((node) => network.isPartial(node)),
    goneRows: gone.length / Math.max(1, everyRow.length),
    reachedNodes: counted.reached / Math.max(1, counted.publications),
    visibleMs: { p50: percentile(counted.delaysMs, 50), p99: percentile(counted.delaysMs, 99) },
  }
}
