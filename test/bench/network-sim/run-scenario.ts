import { median, percentile } from '../statistics.js'
import type { SimulationQuestion } from './bench.js'
import type { Network } from './network.js'
import { comeApart } from './partition.js'
import { type RequestFigures, Requests } from './requests/requests.js'
import { type IdleFigures, runNetwork } from './run-network.js'
import { quietScenario, type Scenario } from './scenario.js'

/** What a run of the simulator found. The same for the same seed. */
export interface ScenarioFigures {
  scenario: string
  nodes: number
  seed: number
  idle: IdleFigures
  requests: Partial<Record<'byPopularity' | 'popular' | 'rare', RequestFigures>>
  /** What is the scenario's own. */
  special: Record<string, number>
}

/** Models that many, and that hardly anybody offers. */
const [POPULAR, RARE] = [50, 3]
const MINUTE_MS = 60_000
/** Bootstrap nodes that a crowd of newcomers knows, and how many of them each dials. */
const [BOOTSTRAPS, DIALLED_BOOTSTRAPS] = [8, 2]

/** Nobody comes or goes, on one machine; half a round trip between processes that share two cores. */
const STILL = { churn: false, warmUpMs: 60 * MINUTE_MS, measureMs: 120 * MINUTE_MS, requests: 0, oneMachineMs: 0.5 }

/** What may happen in a network. */
const SCENARIOS = {
  quiet: {},
  still: STILL,
  // Each message waits for its turn on cores that other work keeps busy.
  busy: { ...STILL, oneMachineMs: 40 },
  former: { former: true, warmUpMs: 10 * MINUTE_MS, measureMs: 4 * MINUTE_MS, requests: 0 },
  'hostile-1': { hostile: 0.01 },
  'hostile-10': { hostile: 0.1 },
  'hostile-30': { hostile: 0.3 },
  'one-model': { oneModelBy: 0.5 },
  'one-each': { oneEach: true },
  crowd: { crowd: 0.2, requests: 0 },
  split: { split: true },
} satisfies Record<string, Partial<Scenario>>

/** Runs one. @throws Error for a scenario that there is not */
export async function runScenario({ scenario: name, nodes, seed }: SimulationQuestion): Promise<ScenarioFigures> {
  if (!(name in SCENARIOS)) throw new Error(`There is no scenario ${name}: ${Object.keys(SCENARIOS).join(', ')}.`)
  const options: Partial<Scenario> = SCENARIOS[name as keyof typeof SCENARIOS]
  const scenario: Scenario = { ...quietScenario(nodes, seed), ...options, name }
  if (scenario.oneEach) scenario.models = nodes
  const special: Record<string, number> = {}
  const { network, idle } = runNetwork(scenario, (running) => {
    if (scenario.split) Object.assign(special, comeApart(running))
    if (scenario.crowd > 0) Object.assign(special, comeAtOnce(running, Math.round(nodes * scenario.crowd)))
  })
  special['emptyEclipse'] = eclipsed(scenario.hostile)
  Object.assign(special, relayLoad(network))
  const requests = scenario.requests === 0 ? {} : await ask(network, scenario.requests)
  return { scenario: name, nodes, seed, idle, requests, special }
}

async function ask(network: Network, count: number): Promise<ScenarioFigures['requests']> {
  const requests = new Requests(network)
  const byPopularity = await requests.byPopularity(count)
  const popular = await requests.among(count, (providers) => providers >= POPULAR)
  const rare = await requests.among(count, (providers) => providers >= 1 && providers <= RARE)
  return { byPopularity, ...(popular && { popular }), ...(rare && { rare }) }
}

/** A crowd of newcomers, within one minute; each knows the same few bootstrap nodes. */
function comeAtOnce(network: Network, count: number): Record<string, number> {
  const { overlay, population, traffic, random, clock } = network
  const bootstraps = overlay.everybody.list.filter((node) => population.reach[node] === 0).slice(0, BOOTSTRAPS)
  const before = bootstraps.map((node) => traffic.of(node))
  const startMs = clock.atMs
  let came = 0
  for (let node = 0; node < population.size && came < count; node += 1) {
    if (overlay.online[node] === 1) continue
    came += 1
    network.run(startMs + (came / count) * MINUTE_MS)
    network.join(node, () => {
      for (let dialled = 0; dialled < DIALLED_BOOTSTRAPS; dialled += 1) {
        overlay.link(node, bootstraps[Math.floor(random() * bootstraps.length)] ?? 0)
      }
    })
  }
  network.run(startMs + 2 * MINUTE_MS)
  const carried = bootstraps.map((node, index) => traffic.of(node) - (before[index] ?? 0))
  const links = bootstraps.map((node) => overlay.links[node]?.length ?? 0)
  return {
    newcomers: came,
    bootstrapMiB: Math.max(...carried) / 1024 / 1024,
    bootstrapConnections: Math.max(...links),
  }
}

/** What relays have to carry beside what others have: whom they relay for, and their bytes a second. */
function relayLoad(network: Network): Record<string, number> {
  const { overlay, relays, traffic, countedMs } = network
  const serving = overlay.diallable.list.filter((node) => relays.clientsOf(node) > 0)
  if (serving.length === 0) return {}
  const clients = serving.map((node) => relays.clientsOf(node))
  const links = serving.map((node) => overlay.links[node]?.length ?? 0)
  const rates = serving
    .filter((node) => (countedMs[node] ?? 0) > MINUTE_MS)
    .map((node) => (traffic.of(node) / (countedMs[node] ?? 1)) * 1000)
  return {
    relays: serving.length,
    ...{ relayClientsMedian: median(clients), relayClientsMost: Math.max(...clients), withoutRelay: relays.refused },
    ...{ relayConnectionsMedian: median(links), relayConnectionsMost: Math.max(...links) },
    ...{ relayBytesPerSMedian: median(rates), relayBytesPerSP99: percentile(rates, 99) },
  }
}

/** A newcomer dials peers of eight parties at least: the chance that all are hostile. */
function eclipsed(hostile: number): number {
  return hostile ** 8
}
