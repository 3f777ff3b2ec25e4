import { createOwnPolicy } from './own-policy.ts'
import type { SimProvider } from './provider.ts'
import type { Simulation } from './simulation.ts'
import type { SimRequest } from './workload.ts'

/** How one gateway chooses, and what it hears of its tries. */
export interface Policy {
  /** Peers to try, in this order. */
  choose(request: SimRequest): Promise<string[]>
  /** Where it chooses anew after a refusal: peers to try next, none of those that were asked. */
  chooseAgain?: (request: SimRequest, asked: ReadonlySet<string>) => string[]
  /** Second attempts where the first is late; without it there are none. */
  hedge?: {
    lateAfterMs(peerId: string, request: SimRequest): number | undefined
    takes(peerId: string, request: SimRequest, waitedMs: number): boolean
  }
  begin(peerId: string, request: SimRequest): TryReport
  /** The whole request was answered by this peer. */
  answered(request: SimRequest, peerId: string): void
  /** The connection to it broke. */
  disconnected(peerId: string): void
}

/** What came of a try. */
interface TryReport {
  firstByte(ttfbMs: number): void
  /** Every try ends once. `left`: another provider's answer came first. */
  end(how: 'answered' | 'refused' | 'lost' | 'left'): void
}

export type PolicyFactory = (needs: {
  sim: Simulation
  providers: ReadonlyMap<string, SimProvider>
  random: () => number
}) => Policy

const MAX_ATTEMPTS = 4

/** Orders of the rivals; what is quarantined they leave out as ours does, so that it is the choice that is compared. */
type Order = (peers: readonly string[], inFlight: (peerId: string) => number, random: () => number) => string[]

/** The same ones in an order of chance. */
export function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const list = [...items]
  for (let left = list.length - 1; left > 0; left -= 1) {
    const other = Math.floor(random() * (left + 1))
    const kept = list[left] as T
    list[left] = list[other] as T
    list[other] = kept
  }
  return list
}

/** What the rivals do without. */
export const FIXED_ORDER = { chooseAgain: undefined, hedge: undefined }

function rival(createOrder: () => Order): PolicyFactory {
  return (needs) => {
    const own = createOwnPolicy(needs)
    const order = createOrder()
    const inFlight = new Map<string, number>()
    const count = (peerId: string): number => inFlight.get(peerId) ?? 0
    return {
      ...own,
      ...FIXED_ORDER,
      choose: () => Promise.resolve(order(own.routable(), count, needs.random).slice(0, MAX_ATTEMPTS)),
      begin(peerId, request) {
        const report = own.begin(peerId, request)
        inFlight.set(peerId, count(peerId) + 1)
        return {
          firstByte: (ttfbMs) => report.firstByte(ttfbMs),
          end(how) {
            inFlight.set(peerId, count(peerId) - 1)
            report.end(how)
          },
        }
      },
    }
  }
}

/** The project's own code, and what it is measured against. */
export const POLICIES: Record<string, PolicyFactory> = {
  ours: createOwnPolicy,
  'no second': (needs) => ({ ...createOwnPolicy(needs), hedge: undefined }),
  random: rival(() => (peers, _inFlight, random) => shuffled(peers, random)),
  'round robin': rival(() => {
    let turn = 0
    return (peers) => {
      turn += 1
      return peers.map((_, index) => peers[(turn + index) % peers.length] as string)
    }
  }),
  'least in flight': rival(
    () => (peers, inFlight, random) => shuffled(peers, random).sort((a, b) => inFlight(a) - inFlight(b)),
  ),
}
