import type { KeyTotals, KeyUsage } from '#shared/contract/node/keys.js'
import type { TrafficEntry } from '#shared/contract/node/traffic.js'
import { BoundedMap } from '../base/bounded-map.js'
import type { Clock } from '../base/clock.js'
import { midnightAfter, type TrafficFeed } from './traffic.js'

/** What apps asked for, by the name of their API key; in memory only. */
export interface KeyUsageBook {
  of(name: string): KeyUsage
  /** The key is gone; another one of its name begins at nothing. */
  forget(name: string): void
}

/** Names that are counted; there are never more keys than that. */
const MAX_NAMES = 512

/** Counts the finished requests of `traffic` from now on. */
export function createKeyUsage(needs: { traffic: Pick<TrafficFeed, 'onFinished'>; clock: Clock }): KeyUsageBook {
  const usages = new BoundedMap<string, KeyUsage>(MAX_NAMES)
  let nextMidnightMs = 0

  function beginDay(): void {
    const nowMs = needs.clock.now()
    if (nowMs < nextMidnightMs) return
    nextMidnightMs = midnightAfter(nowMs)
    for (const [, usage] of usages) usage.today = nothing()
  }

  needs.traffic.onFinished((entry) => {
    if (entry.key === null) return
    beginDay()
    let usage = usages.get(entry.key)
    if (usage === undefined) usages.set(entry.key, (usage = { today: nothing(), sinceStart: nothing() }))
    add(usage.today, entry)
    add(usage.sinceStart, entry)
  })

  return {
    of(name) {
      beginDay()
      const { today, sinceStart } = usages.peek(name) ?? { today: nothing(), sinceStart: nothing() }
      return { today: { ...today }, sinceStart: { ...sinceStart } }
    },
    forget: (name) => void usages.delete(name),
  }
}

const nothing = (): KeyTotals => ({ requests: 0, tokensIn: 0, tokensOut: 0 })

function add(totals: KeyTotals, { tokensIn, tokens }: Readonly<TrafficEntry>): void {
  totals.requests += 1
  totals.tokensIn += tokensIn ?? 0
  totals.tokensOut += tokens ?? 0
}
