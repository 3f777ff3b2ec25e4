import { median, slope } from '../statistics.ts'

/** What one survivor held at one moment. */
export interface VitalSigns {
  rssBeforeMiB: number
  rssMiB: number
  heapMiB: number
  heapTotalMiB: number
  externalMiB: number
  arrayBuffersMiB: number
  handles: number
  timers: number
  descriptors: number
  connections: number
  quicConnections: number
  streams: number
  peers: number
  peerStore: number
  gossip: number
}

/** All survivors at one moment. */
export interface Sample {
  /** Seconds since the churn began. */
  atS: number
  deaths: number
  /** Whether connections had come to rest when it was taken. */
  isSettled: boolean
  survivors: VitalSigns[]
}

/** How one measure of one survivor moved. */
export interface Growth {
  /** Medians of the first and the last third of the samples. */
  from: number
  to: number
  /** What the last third holds more than the first, as a share of it. */
  grown: number
  /** What the median slope makes of the whole time, as a share of where it began. */
  trend: number
  /** Nodes that died between the first sample and the last. */
  deaths: number
}

/**
 * What may not grow, and what may be added all the same: a count of ten cannot grow by less than 10 %, and some move by
 * themselves (idle streams to peers, backoffs of gossipsub). Nodes that come back connect over QUIC, which takes some 150
 * KiB of external memory each.
 */
export const MEASURES = {
  rssMiB: { name: 'RSS MiB', slack: 0 },
  heapMiB: { name: 'heap MiB', slack: 0 },
  externalMiB: { name: 'external MiB', slack: 2 },
  handles: { name: 'handles', slack: 4 },
  timers: { name: 'timers', slack: 4 },
  descriptors: { name: 'descriptors', slack: 4 },
  connections: { name: 'connections', slack: 2 },
  streams: { name: 'streams', slack: 6 },
  peerStore: { name: 'peer store', slack: 2 },
  gossip: { name: 'gossip maps', slack: 30 },
} as const satisfies Partial<Record<keyof VitalSigns, { name: string; slack: number }>>

export type Measure = keyof typeof MEASURES

/** What may be added: more is a leak. */
const TOLERANCE = 0.1
/** Of a count, so many for each death: what is left behind by one in three at most moves with what is under way. */
const PER_DEATH = 1 / 3

/** The growth of one measure of one survivor over samples that are comparable. */
export function growthOf(samples: readonly Sample[], survivor: number, measure: Measure): Growth {
  const points = samples.flatMap(({ atS, survivors }): [number, number][] => {
    const value = survivors[survivor]?.[measure]
    return value === undefined ? [] : [[atS, value]]
  })
  const third = Math.max(1, Math.floor(points.length / 3))
  const values = points.map(([, value]) => value)
  const from = median(values.slice(0, third))
  const to = median(values.slice(-third))
  const seconds = (points.at(-1)?.[0] ?? 0) - (points[0]?.[0] ?? 0)
  const deaths = (samples.at(-1)?.deaths ?? 0) - (samples[0]?.deaths ?? 0)
  return { from, to, grown: to / from - 1, trend: (slope(points) * seconds) / from, deaths }
}

/** Flat when neither the thirds nor the trend say otherwise. Without samples nothing is flat. */
export function isFlat(growth: Growth, measure: Measure): boolean {
  const added = Math.max(growth.grown, growth.trend)
  const { name, slack } = MEASURES[measure]
  const allowed = name.endsWith('MiB') ? slack : Math.max(slack, growth.deaths * PER_DEATH)
  return added <= TOLERANCE || added * growth.from <= allowed
}
