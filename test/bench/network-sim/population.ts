import type { PeerRecord } from '../../../src-shared/records.ts'
import { recordOffering } from '../../fixtures/table-owners.js'
import { DIALLABLE_HOMES, lastMileMs, ON_SHARE, PUNCHED, REGIONS, VOLUNTEERS } from './internet.js'
import type { Scenario } from './scenario.js'

/** How a node can be reached. */
export const REACH = { volunteer: 0, diallable: 1, punched: 2, relayed: 3 } as const

/** Share of the nodes that offer models; the others only use them. Assumed. */
const OFFERING = 0.4
/** Models of one that offers some: one, and with this chance each another one (mean 3). */
const ANOTHER_MODEL = 0.67
const MAX_MODELS = 12
const BENCH_MODELS = 15
/**
 * Popularity of models follows Zipf's law with this exponent: 0.64 to 0.83 were found for pages asked of web proxies
 * (L. Breslau et al., INFOCOM 1999), and downloads of models are more uneven.
 */
const ZIPF = 0.9

/** All nodes there are, on or off, by number. Numbers in typed arrays: a hundred thousand have to fit. */
export interface Population {
  size: number
  reach: Uint8Array
  region: Uint8Array
  mileMs: Float32Array
  /** Place in the DHT. */
  key: Float64Array
  isHostile: Uint8Array
  /** Models each offers, by number; empty for those who only use. */
  models: readonly (readonly number[])[]
  /** Half a round trip where all are on one machine. */
  oneMachineMs: number | undefined
  /** How many models there are, and each one's share of requests, summed up. */
  modelCount: number
  cumulative: Float64Array
  peerId: (node: number) => string
  record: (node: number) => PeerRecord
  /** Online at the start, of homes and volunteers. */
  startOnline: (node: number, random: () => number) => boolean
}

/** So many nodes that about `nodes` are on at a time. */
export function createPopulation(scenario: Scenario, random: () => number): Population {
  const homes = Math.round((scenario.nodes * (1 - VOLUNTEERS)) / (scenario.churn ? ON_SHARE : 1))
  const volunteers = Math.max(1, Math.round(scenario.nodes * VOLUNTEERS))
  const size = homes + volunteers
  const modelCount = scenario.models ?? Math.max(100, Math.round(scenario.nodes / 20))
  const cumulative = zipf(modelCount)
  const reach = new Uint8Array(size)
  const region = new Uint8Array(size)
  const mileMs = new Float32Array(size)
  const key = new Float64Array(size)
  const isHostile = new Uint8Array(size)
  const models: number[][] = []
  for (let node = 0; node < size; node += 1) {
    region[node] = Math.floor(random() * REGIONS)
    mileMs[node] = lastMileMs(random)
    key[node] = random()
    isHostile[node] = random() < scenario.hostile ? 1 : 0
    const draw = random()
    if (node < volunteers) reach[node] = REACH.volunteer
    else if (draw < DIALLABLE_HOMES) reach[node] = REACH.diallable
    else if (scenario.oneMachineMs !== undefined) reach[node] = REACH.diallable
    else reach[node] = random() < PUNCHED ? REACH.punched : REACH.relayed
    models.push(offersOf(node, { scenario, size, cumulative }, random))
  }
  const records = new Map<number, PeerRecord>()
  const peerIds = Array.from({ length: size }, (_, node) => `12D3KooWnode${String(node)}`)
  const peerId = (node: number): string => peerIds[node] ?? ''
  return {
    oneMachineMs: scenario.oneMachineMs,
    ...{ size, reach, region, mileMs, key, isHostile, models, modelCount, cumulative, peerId },
    record(node) {
      const known = records.get(node)
      if (known !== undefined) return known
      const record = recordOffering(
        peerId(node),
        (models[node] ?? []).map((model) => `m${String(model)}`),
      )
      if (models[node]?.length === 0) record.service = []
      records.set(node, record)
      return record
    },
    startOnline: (node, draw) => node < volunteers || !scenario.churn || draw() < ON_SHARE,
  }
}

function offersOf(
  node: number,
  of: { scenario: Scenario; size: number; cumulative: Float64Array },
  random: () => number,
): number[] {
  if (of.scenario.oneMachineMs !== undefined) return Array.from({ length: BENCH_MODELS }, (_, model) => model)
  if (of.scenario.oneModelBy > 0 && random() < of.scenario.oneModelBy) return [0]
  if (of.scenario.oneEach) return random() < 0.5 ? [node % of.cumulative.length] : []
  if (random() >= OFFERING) return []
  const models = new Set<number>()
  do models.add(drawModel(of.cumulative, random))
  while (models.size < MAX_MODELS && random() < ANOTHER_MODEL)
  return [...models]
}

/** A model by popularity. */
export function drawModel(cumulative: Float64Array, random: () => number): number {
  const draw = random()
  let [low, high] = [0, cumulative.length - 1]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((cumulative[middle] ?? 1) < draw) low = middle + 1
    else high = middle
  }
  return low
}

function zipf(count: number): Float64Array {
  const cumulative = new Float64Array(count)
  let sum = 0
  for (let rank = 0; rank < count; rank += 1) cumulative[rank] = sum += 1 / (rank + 1) ** ZIPF
  return cumulative.map((value) => value / sum)
}
