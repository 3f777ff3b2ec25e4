import { drawn } from '../../../../src-main/node-table/budget/drawn.js'
import { lookUpKeys } from '../../../../src-main/node-table/find/provider-lookup.js'
import { GONE_IN_ROUTING_TABLE, K, KEYS, keyOf } from '../dht.js'
import type { Network } from '../network.js'
import type { VirtualTimers } from '../virtual-timers.js'
import type { Dialling } from './dialling.js'

/** Questions under way at a time: two disjoint paths of ten (`DISJOINT_PATHS` in quiet-dht.ts, `ALPHA` of the library). */
const AT_ONCE = 20
/** How long a dial to an address of one that has gone takes (`DIAL_WITHIN_MS.direct`). */
const DIAL_IN_VAIN_MS = 2_000
const RECORD_KEPT_MS = { former: 48 * 3_600_000, now: 13 * 3_600_000 }
/** Of an answer, as in quiet-dht.ts and provider-store.ts. */
const [OF_ONE_ANSWER, ANSWERED, RECORDS_OF_KEY] = [8, 20, 512]

/** What one server answers. */
interface Answer {
  from: number
  closer: number[]
  providers: string[]
}

/** Lookups of providers by one node: each question and its answer in virtual time, from its own routing table on. */
export class Lookups {
  readonly #network: Network
  readonly #timers: VirtualTimers
  readonly #dialling: Dialling
  readonly #baseMs: number

  constructor(network: Network, timers: VirtualTimers, dialling: Dialling) {
    this.#network = network
    this.#timers = timers
    this.#dialling = dialling
    this.#baseMs = network.clock.atMs
  }

  /** Peer ids that are named for a model, as the program's own `ProviderRecords.find` tells them. */
  find(asker: number, model: number, signal: AbortSignal): AsyncGenerator<string> {
    return lookUpKeys(Array.from({ length: KEYS }, (_, number) => () => this.#lookUp(asker, model, number, signal)))
  }

  /** As `providersInTurn` in quiet-dht.ts: one of each answer as it comes, the others once the lookup is over. */
  async *#lookUp(asker: number, model: number, number: number, signal: AbortSignal): AsyncGenerator<string> {
    const named = new Set<string>()
    const rest: string[][] = []
    for await (const { providers } of this.#walk(asker, model, number, signal)) {
      const first = providers.find((peerId) => !named.has(peerId))
      if (first !== undefined) {
        named.add(first)
        yield first
      }
      rest.push(providers)
    }
    for (let round = 1; round < OF_ONE_ANSWER; round += 1) {
      for (const answer of rest) {
        const next = answer.find((peerId) => !named.has(peerId))
        if (next === undefined) continue
        named.add(next)
        yield next
      }
    }
  }

  /** As the library's query: the nearest that are known and have not been asked, until the twenty nearest have answered. */
  async *#walk(asker: number, model: number, number: number, signal: AbortSignal): AsyncGenerator<Answer> {
    const { dht, clock } = this.#network
    const key = keyOf(model, number)
    const distance = (node: number): number => dht.distance(node, key)
    const holders = new Set(dht.closest(key, clock.atMs, asker))
    const waiting = dht.starts(asker, key, clock.atMs)
    const seen = new Set([asker, ...waiting])
    let closest: number[] = []
    const came: (Answer | undefined)[] = []
    let running = 0
    let arrival = Promise.withResolvers<undefined>()
    const mayBeNear = (node: number): boolean => closest.length < K || distance(node) < distance(closest[K - 1] ?? node)
    const onAbort = (): void => arrival.resolve(undefined)
    signal.addEventListener('abort', onAbort)
    try {
      for (;;) {
        waiting.sort((a, b) => distance(a) - distance(b))
        while (running < AT_ONCE && waiting.length > 0) {
          const next = waiting.shift() ?? 0
          if (!mayBeNear(next)) continue
          running += 1
          void this.#ask(asker, next, { key, model, isHolder: holders.has(next) }).then((answer) => {
            came.push(answer)
            arrival.resolve(undefined)
          })
        }
        if (running === 0) return
        await arrival.promise
        if (signal.aborted) return
        arrival = Promise.withResolvers<undefined>()
        for (const answer of came.splice(0)) {
          running -= 1
          if (answer === undefined) continue
          closest = [...closest, answer.from].sort((a, b) => distance(a) - distance(b)).slice(0, K)
          for (const node of answer.closer) {
            if (seen.has(node) || distance(node) >= distance(answer.from) || !mayBeNear(node)) continue
            seen.add(node)
            waiting.push(node)
          }
          yield answer
        }
      }
    } finally {
      signal.removeEventListener('abort', onAbort)
    }
  }

  async #ask(
    asker: number,
    server: number,
    about: { key: number; model: number; isHolder: boolean },
  ): Promise<Answer | undefined> {
    const { dht, overlay, population, random, clock } = this.#network
    const isLinked = overlay.links[asker]?.includes(server) ?? false
    if (overlay.online[server] !== 1 || (!isLinked && random() < GONE_IN_ROUTING_TABLE)) {
      await this.#timers.sleep(DIAL_IN_VAIN_MS)
      return undefined
    }
    await this.#timers.sleep(this.#dialling.directMs(asker, server, isLinked))
    const isHostile = population.isHostile[server] === 1
    // A liar does keep what it is told: it names others all the same.
    const providers = isHostile ? this.#madeUp() : about.isHolder ? this.#recordsOf(server, about.model) : []
    return { from: server, closer: dht.leads(server, about.key, clock.atMs), providers }
  }

  #madeUp(): string[] {
    const { random } = this.#network
    return Array.from({ length: OF_ONE_ANSWER }, () => `12D3KooWnode-${String(1 + Math.floor(random() * 1e9))}`)
  }

  /** As many as an answer has, at random, of what came while that server was there. */
  #recordsOf(server: number, model: number): string[] {
    const { dht, joinedAtMs, random, population, scenario } = this.#network
    const sinceMs = Math.max(joinedAtMs[server] ?? 0, this.#baseMs - RECORD_KEPT_MS[scenario.former ? 'former' : 'now'])
    const records = [...(dht.records[model] ?? [])].filter(([, atMs]) => atMs >= sinceMs)
    const kept = drawn(records, RECORDS_OF_KEY, random)
    return drawn(kept, ANSWERED, random)
      .slice(0, OF_ONE_ANSWER)
      .map(([node]) => population.peerId(node))
  }
}
