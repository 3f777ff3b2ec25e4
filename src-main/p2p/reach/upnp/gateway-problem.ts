import { BlockList, isIPv4 } from 'node:net'
import type { Log } from '../../../logging/index.js'
import { scopeOf } from '../../dial/ip-scope.js'

/** What keeps a router from opening ports, in classes that call for different remedies. */
export type GatewayProblemKind =
  /** It is behind another router. */
  | 'private-address'
  /** What it gives as its external address cannot be one. */
  | 'bad-address'
  /** It announced itself and then says nothing, or nothing in time. */
  | 'no-answer'
  /** It says something that is not UPnP, or points elsewhere. */
  | 'bad-answer'
  /** It understood and said no. */
  | 'refused'

/** Why a router is of no use, with words for a person that continue "it answered, but …". */
export interface GatewayProblem {
  kind: GatewayProblemKind
  text: string
}

/** A router did not do what it was asked to. */
export class GatewayFault extends Error {
  readonly problem: GatewayProblem
  /** UPnP's error code; undefined where the router gave none. */
  readonly code: number | undefined

  constructor(kind: GatewayProblemKind, text: string, code?: number) {
    super(text)
    this.name = 'GatewayFault'
    this.problem = { kind, text }
    this.code = code
  }
}

const MAX_LOGGED = 16

/** What is wrong with one router. Each problem is logged once. */
export class GatewayProblems {
  readonly #log: Log
  readonly #router: string
  readonly #logged = new Set<string>()
  #current: GatewayProblem | undefined

  constructor(log: Log, router: string) {
    this.#log = log
    this.#router = router
  }

  /** The one it has now; undefined while it does as it is asked. */
  get current(): GatewayProblem | undefined {
    return this.#current
  }

  add(problem: GatewayProblem, level: 'warn' | 'info' = 'warn'): void {
    this.#current = problem
    if (this.#logged.has(problem.text) || this.#logged.size >= MAX_LOGGED) return
    this.#logged.add(problem.text)
    this.#log[level]('the router cannot open a port for this node', { router: this.#router, problem: problem.text })
  }

  /** What it does wrong becomes its problem; anything else is a fault of this program. */
  note(error: unknown): void {
    if (error instanceof GatewayFault) this.add(error.problem)
    else this.#log.error('asking the router failed', { router: this.#router, error })
  }

  clear(): void {
    this.#current = undefined
  }
}

/** Blocks no router has on its outer side: documentation, tests, multicast, reserved, unset. */
const IMPOSSIBLE = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  IMPOSSIBLE.addSubnet(net, bits, 'ipv4')
}

/** What is wrong with the external address a router gives; undefined when it may be true. */
export function externalAddressProblem(ip: string): GatewayProblem | undefined {
  if (ip === '' || ip === '0.0.0.0') return bad('it has no external address: it is not connected to the internet')
  if (!isIPv4(ip)) return bad(`its external address ${JSON.stringify(ip.slice(0, 60))} is none`)
  if (IMPOSSIBLE.check(ip, 'ipv4')) return bad(`its external address ${ip} cannot be one`)
  if (scopeOf(ip) === 'public') return undefined
  return {
    kind: 'private-address',
    text: `its external address ${ip} is private: there is another router in front of it`,
  }
}

const bad = (text: string): GatewayProblem => ({ kind: 'bad-address', text })
