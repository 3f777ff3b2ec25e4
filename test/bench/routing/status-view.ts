import { fullBucket, refilled } from '../../../src-main/base/token-bucket.js'
import type { NodeTable, PeerStatusEvent } from '../../../src-main/node-table/index.js'
import type { StatusAnswer } from '../../../src-main/node-table/wire/status-message.js'
import type { SimProvider } from './provider.ts'
import type { Simulation } from './simulation.ts'

/** As `node-table/peer-status.ts` has them: when an answer is asked for again, and how long it counts. */
const FRESH_MS = 10_000
const USABLE_MS = 30_000
const ASK_WITHIN_MS = 5_000
const MAX_AT_ONCE = 8
const BACKGROUND = { capacity: 16, refillPerS: 4 }

/** The table's view of how busy others are: asked over the network, so late and soon stale. */
export function createStatusView(sim: Simulation, providers: ReadonlyMap<string, SimProvider>): NodeTable['status'] {
  const cached = new Map<string, { status: StatusAnswer; atMs: number }>()
  const asking = new Map<string, Promise<PeerStatusEvent['outcome']>>()
  let background = fullBucket(BACKGROUND, sim.now())
  const listeners = new Set<(event: PeerStatusEvent) => void>()

  function ask(peerId: string): Promise<PeerStatusEvent['outcome']> {
    const running = asking.get(peerId)
    if (running !== undefined) return running
    const provider = providers.get(peerId)
    const answer = new Promise<PeerStatusEvent['outcome']>((resolve) => {
      sim.after((provider?.rttMs ?? 0) / 2, () => {
        const told = provider?.status()
        const finish = (outcome: PeerStatusEvent['outcome']): void => {
          asking.delete(peerId)
          if (outcome.kind === 'answered') cached.set(peerId, { status: outcome.status, atMs: sim.now() })
          else cached.delete(peerId)
          for (const listener of listeners) listener({ type: 'peer:status', peerId, outcome })
          resolve(outcome)
        }
        if (told === undefined) sim.after(ASK_WITHIN_MS, () => finish({ kind: 'unreachable', reason: 'silence' }))
        else {
          const status = { ...told, paused: null, offers: '', version: '', timeMs: sim.now() }
          sim.after((provider?.rttMs ?? 0) / 2, () => finish({ kind: 'answered', status }))
        }
      })
    })
    asking.set(peerId, answer)
    return answer
  }

  function inBackground(peerId: string): void {
    if (asking.has(peerId) || asking.size >= MAX_AT_ONCE) return
    background = refilled(background, BACKGROUND, sim.now())
    if (background.tokens < 1) return
    background = { ...background, tokens: background.tokens - 1 }
    void ask(peerId)
  }

  function peek(peerId: string): StatusAnswer | undefined {
    const found = cached.get(peerId)
    return found !== undefined && sim.now() - found.atMs <= USABLE_MS ? found.status : undefined
  }

  return {
    get(peerId) {
      const found = cached.get(peerId)
      if (found === undefined || sim.now() - found.atMs > FRESH_MS) inBackground(peerId)
      return peek(peerId)
    },
    peek,
    refresh: ask,
    hint: inBackground,
    subscribe(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
