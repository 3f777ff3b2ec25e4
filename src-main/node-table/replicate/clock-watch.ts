import { BoundedMap } from '../../base/bounded-map.js'
import type { Clock, MonotonicClock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'
import { MAX_CLOCK_SKEW_MS } from '../wire/epoch.js'

/** Compares this machine's clock with those of peers: a wrong one makes the network refuse this node's row. */
export interface ClockWatch {
  /** A peer said what time it is there. */
  heard(peerId: string, theirTimeMs: number): void
  /** Milliseconds this clock is ahead of most peers' (negative: behind); undefined as long as no peer was heard. */
  aheadMs(): number | undefined
  /** True when rows signed by this clock are refused, or the network's by this node. */
  isWrong(): boolean
  /**
   * The latest time a row can bear that the network takes, by this clock or by the peers', whichever is later; Infinity
   * while no peer was heard. What is later was signed by a clock that was wrong.
   */
  latestMs(): number
  /** The clock was set: what was heard before says nothing any more. */
  forget(): void
}

/** The latest peers heard; the median of many is nothing a few liars can move. */
const MAX_PEERS = 31
const WARN_AGAIN_MS = 10 * 60_000

/** A watch that has heard nobody. */
export function createClockWatch(needs: { clock: Clock; monotonic: MonotonicClock; log: Log }): ClockWatch {
  const { clock, monotonic, log } = needs
  const aheadOf = new BoundedMap<string, number>(MAX_PEERS)
  let warnedAtMs = -Infinity
  let isWarned = false

  function aheadMs(): number | undefined {
    const sorted = [...aheadOf].map(([, ahead]) => ahead).sort((a, b) => a - b)
    const [low, high] = [sorted[Math.floor((sorted.length - 1) / 2)], sorted[Math.floor(sorted.length / 2)]]
    if (low === undefined || high === undefined) return undefined
    // Of two halves that disagree, the one this clock agrees with: a single wrong peer of two makes nobody wrong.
    return Math.abs(low) <= Math.abs(high) ? low : high
  }

  function isWrong(): boolean {
    return Math.abs(aheadMs() ?? 0) > MAX_CLOCK_SKEW_MS
  }

  function tell(): void {
    const now = monotonic.elapsedMs()
    const ahead = aheadMs() ?? 0
    if (isWrong()) {
      if (isWarned && now - warnedAtMs < WARN_AGAIN_MS) return
      warnedAtMs = now
      isWarned = true
      log.warn(wrongClockSentence(ahead), { aheadMs: Math.round(ahead), peers: aheadOf.size })
    } else if (isWarned) {
      isWarned = false
      log.info('this machine’s clock agrees with the network again')
    }
  }

  return {
    heard(peerId, theirTimeMs) {
      aheadOf.set(peerId, clock.now() - theirTimeMs)
      tell()
    },
    aheadMs,
    isWrong,
    latestMs() {
      const ahead = aheadMs()
      return ahead === undefined ? Infinity : clock.now() - Math.min(0, ahead) + 2 * MAX_CLOCK_SKEW_MS
    },
    forget: () => aheadOf.clear(),
  }
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
