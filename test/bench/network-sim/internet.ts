// A model of the internet between homes. Every figure that is not ours has its source.

const HOUR_MS = 3_600_000

/**
 * Sessions of nodes that people run at home: 87.6 % end within 8 h and 2.5 % last longer than a day (D. Trautwein et al.,
 * Design and Evaluation of IPFS, SIGCOMM 2022). The Weibull distribution through these two points: median 57 min, mean
 * 3.6 h.
 */
const SESSION = { shape: 0.518, scaleMs: 1.94 * HOUR_MS }
/** A session of a home machine, on average. */
export const MEAN_SESSION_MS = 3.6 * HOUR_MS
/** Share of their time that home machines are on, assumed: from evening hours to a working day. */
export const ON_SHARE = 0.4
/** Share of the nodes that are servers somebody keeps running; they relay and are bootstrap nodes. Assumed. */
export const VOLUNTEERS = 0.03
/** Homes that can be dialled: IPv6, UPnP, or a port that was opened. Assumed; the study above found 54 % of peers dialable. */
export const DIALLABLE_HOMES = 0.25
/** Hole punching succeeds so often (D. Trautwein et al., Large Scale Measurement Campaign on NAT Traversal, 2025). */
export const PUNCHED = 0.7
/** Relayed peers that can't be dialled at a moment, as their relay has just gone. Assumed. */
export const RELAY_GONE = 0.03

/** Where nodes are: the Americas, Europe with Africa, Asia with the Pacific; assumed even. */
export const REGIONS = 3
/** Median round trips between regions in ms, of the kind cloud providers publish for theirs (us-east, eu-west, ap-northeast). */
const BETWEEN_MS = [
  [32, 85, 160],
  [85, 25, 215],
  [160, 215, 45],
] as const
/** What the line at home adds at each end: log-normal with this median (FCC, Measuring Broadband America: 8 to 30 ms). */
const LAST_MILE = { medianMs: 10, sigma: 0.6 }

/** Whether people are at their machines: the share of arrivals by local hour goes up and down by so much. */
const DAY_AND_NIGHT = 0.5
/** Hours by which regions differ. */
const OFFSET_H = [0, 6, 14] as const

/** A session's length. */
export function sessionMs(random: () => number): number {
  return SESSION.scaleMs * (-Math.log(1 - random())) ** (1 / SESSION.shape)
}

/** What is left of a session that is looked at at a random moment, and how long it has lasted. */
export function residualMs(random: () => number): { left: number; age: number } {
  // A session is met the more often the longer it is.
  for (;;) {
    const length = sessionMs(random)
    if (random() * 60 * HOUR_MS > length) continue
    const age = random() * length
    return { left: length - age, age }
  }
}

/** Time between two sessions. */
export function absenceMs(random: () => number): number {
  return -Math.log(1 - random()) * MEAN_SESSION_MS * (1 / ON_SHARE - 1)
}

/** How much likelier arrivals are than on average, at a moment in a region. */
export function dayFactor(nowMs: number, region: number): number {
  const hour = (nowMs / HOUR_MS + (OFFSET_H[region] ?? 0)) % 24
  return 1 + DAY_AND_NIGHT * Math.sin(((hour - 13) / 24) * 2 * Math.PI)
}

/** What a line adds to each round trip, one end. */
export function lastMileMs(random: () => number): number {
  return LAST_MILE.medianMs * Math.exp(LAST_MILE.sigma * normal(random))
}

/** A round trip between two regions, without what the lines at both ends add. */
export function betweenMs(a: number, b: number): number {
  return BETWEEN_MS[a]?.[b] ?? 100
}

function normal(random: () => number): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}
