import { BoundedMap } from '../../base/bounded-map.js'
import type { Clock, MonotonicClock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'
import { MAX_CLOCK_SKEW_MS } from '../wire/epoch.js'

/** Compares this machine's clock with those of peers: a wrong one makes the network refuse this node's row. */
export interface ClockWatch {
  /** A peer said what time it is there. */
  heard(peerId: string, theirTimeMs: number): void
  /** Milliseconds this clock is ahead of most sources' (negative: behind); undefined as long as no peer was heard. */
  aheadMs(): number | undefined
  /**
   * True when rows signed by this clock are refused, or the network's by this node. It takes three sources to say so:
   * peer ids cost nothing, addresses do.
   */
  isWrong(): boolean
  /**
   * The latest time a row can bear that the network takes, by this clock or by the peers', whichever is later; Infinity
   * while no peer was heard. What is later was signed by a clock that was wrong.
   */
  latestMs(): number
  /** The clock was set: what was heard before says nothing any more. */
  forget(): void
}

/** The sources heard last; the median of many is nothing a few liars can move. */
const MAX_SOURCES = 31
/** The peers heard last of one source, whose median speaks for it. */
const MAX_PEERS_PER_SOURCE = 7
const MIN_SOURCES_TO_BE_WRONG = 3
const WARN_AGAIN_MS = 10 * 60_000

/**
 * A watch that has heard nobody. `sourceOf` says where a peer is connected from: all peers of one address are one source,
 * however many ids they have.
 */
export function createClockWatch(needs: {
  clock: Clock
  monotonic: MonotonicClock
  log: Log
  sourceOf: (peerId: string) => string
}): ClockWatch {
  const { clock, monotonic, log, sourceOf } = needs
  const sources = new BoundedMap<string, BoundedMap<string, number>>(MAX_SOURCES)
  let warnedAtMs = -Infinity
  let isWarned = false

  function aheadMs(): number | undefined {
    return median([...sources].flatMap(([, peers]) => median([...peers].map(([, ahead]) => ahead)) ?? []))
  }

  function isWrong(): boolean {
    return sources.size >= MIN_SOURCES_TO_BE_WRONG && Math.abs(aheadMs() ?? 0) > MAX_CLOCK_SKEW_MS
  }

  function tell(): void {
    const now = monotonic.elapsedMs()
    const ahead = aheadMs() ?? 0
    if (isWrong()) {
      if (isWarned && now - warnedAtMs < WARN_AGAIN_MS) return
      warnedAtMs = now
      isWarned = true
      log.warn(wrongClockSentence(ahead), { aheadMs: Math.round(ahead), sources: sources.size })
    } else if (isWarned) {
      isWarned = false
      log.info('this machine’s clock agrees with the network again')
    }
  }

  return {
    heard(peerId, theirTimeMs) {
      const source = sourceOf(peerId)
      const peers = sources.get(source) ?? new BoundedMap<string, number>(MAX_PEERS_PER_SOURCE)
      peers.set(peerId, clock.now() - theirTimeMs)
      sources.set(source, peers)
      tell()
    },
    aheadMs,
    isWrong,
    latestMs() {
      const ahead = aheadMs()
      return ahead === undefined ? Infinity : clock.now() - Math.min(0, ahead) + 2 * MAX_CLOCK_SKEW_MS
    },
    forget: () => sources.clear(),
  }
}

/** Of two halves that disagree, the one this clock agrees with: a single wrong one of two makes no clock wrong. */
function median(aheadMs: readonly number[]): number | undefined {
  const sorted = aheadMs.toSorted((a, b) => a - b)
  const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]]
  if (low === undefined || high === undefined) return undefined
  return Math.abs(low) <= Math.abs(high) ? low : high
}

/** `your clock seems 48 minutes ahead …`: what it is, what it does, what to do. */
export function wrongClockSentence(aheadMs: number): string {
  const amount = durationWords(Math.abs(aheadMs))
  return (
    `this machine’s clock seems ${amount} ${aheadMs > 0 ? 'ahead' : 'behind'}: the network refuses this node’s row ` +
    'until it is set right'
  )
}

function durationWords(ms: number): string {
  const minutes = Math.round(ms / 60_000)
  if (minutes < 120) return `${minutes} minute${minutes === 1 ? '' : 's'}`
  const hours = Math.round(minutes / 60)
  return hours < 48 ? `${hours} hours` : `${Math.round(hours / 24)} days`
}
