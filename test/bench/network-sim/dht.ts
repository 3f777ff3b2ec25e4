import { COSTS } from './costs.js'
import type { Overlay } from './overlay.js'
import { type Population, REACH } from './population.js'
import { SPENT, type Traffic } from './traffic.js'

/** Peers that keep a record, and that an answer names (`K` of the library); those of one question asked at a time. */
export const K = 20
const ALPHA = 10
/** A hop leads this much closer, in bits: an answer names twenty of the peers of one distance. */
const BITS_PER_HOP = Math.log2(K)
/** Peers of a routing table that have gone since it was last refreshed; each costs a dial in vain. Assumed. */
export const GONE_IN_ROUTING_TABLE = 0.1
const DIAL_IN_VAIN_BYTES = 240
/** How long servers are looked up from one list. */
const SORT_EVERY_MS = 60_000
/** Keys of an entry (`KEYS` in provider-records.ts), of distances in a routing table at most. */
export const KEYS = 4
const MAX_DISTANCES = 16
const MAX_BITS = 32
/** A connection that nobody closes ends when one of both goes. */
const OTHERS_STAY_MS = 3_600_000

/**
 * The wide-area DHT: who is near a key is exact, and so is what each of them is asked. The way there is modelled: as many
 * hops as a routing table of a Kademlia of that size needs.
 */
export class Dht {
  readonly #population: Population
  readonly #overlay: Overlay
  readonly #traffic: Traffic
  readonly #random: () => number
  #sorted: { key: number; node: number }[] = []
  #sortedAtMs = -Infinity
  /** Of each model who said when that it offers it: by node. */
  readonly records: Map<number, number>[]
  readonly #mostKept: number
  /** Connections that lookups opened and nobody has closed, of each node, at {@link Dht.#keptAtMs}. */
  readonly #kept: Float64Array
  readonly #keptAtMs: Float64Array
  readonly #onDial: (from: number, to: number) => void
  #nowMs = 0
  /** While the network is in two: on which side a node is. */
  #sideOf: ((node: number) => number) | undefined

  constructor(
    needs: {
      population: Population
      overlay: Overlay
      traffic: Traffic
      random: () => number
      onDial: (from: number, to: number) => void
    },
    options: { mostConnections: number },
  ) {
    this.#population = needs.population
    this.#overlay = needs.overlay
    this.#traffic = needs.traffic
    this.#random = needs.random
    this.#onDial = needs.onDial
    this.#mostKept = options.mostConnections
    this.#kept = new Float64Array(needs.population.size)
    this.#keptAtMs = new Float64Array(needs.population.size)
    this.records = Array.from({ length: needs.population.modelCount }, () => new Map())
  }

  get servers(): number {
    return this.#overlay.diallable.size
  }

  /** Peers that a routing table of this network holds. */
  get tablePeers(): number {
    return Math.min(this.servers, K * (1 + Math.max(0, Math.log2(this.servers / K))))
  }

  /** Lookups that a refresh makes: one for each distance. */
  get distances(): number {
    return Math.min(MAX_DISTANCES, 1 + Math.ceil(Math.log2(Math.max(2, this.servers))))
  }

  /** Hops until the first of the closest is asked. */
  get hops(): number {
    return Math.max(1, Math.ceil(Math.log2(Math.max(1, this.servers / K)) / BITS_PER_HOP))
  }

  /** From now on nodes find those of their side alone; undefined: all. */
  split(sideOf: ((node: number) => number) | undefined): void {
    this.#sideOf = sideOf
    this.#sortedAtMs = -Infinity
  }

  /** The servers closest to a key that `asker` can reach, closest first. */
  closest(key: number, nowMs: number, asker: number): number[] {
    this.#sort(nowMs)
    const target = bitsOf(key)
    let bits = 0
    let [from, to] = [0, this.#sorted.length]
    // The smallest block of keys with one beginning that has enough.
    while (bits < 32) {
      const width = 2 ** (32 - bits - 1)
      const start = Math.floor(target / width) * width
      const [low, high] = [this.#indexOf(start), this.#indexOf(start + width)]
      if (high - low < (this.#sideOf === undefined ? K + 4 : 4 * K)) break
      ;[from, to] = [low, high]
      bits += 1
    }
    return this.#sorted
      .slice(from, to)
      .filter(({ node }) => this.#overlay.online[node] === 1 && this.#sideOf?.(node) === this.#sideOf?.(asker))
      .map(({ key: other, node }) => ({ node, distance: (other ^ target) >>> 0 }))
      .sort((a, b) => a.distance - b.distance)
      .slice(0, K)
      .map(({ node }) => node)
  }

  /** How far a node is from a key. */
  distance(node: number, key: number): number {
    return (bitsOf(this.#population.key[node] ?? 0) ^ bitsOf(key)) >>> 0
  }

  /**
   * Those nearest to a key that a node knows: a routing table holds twenty of each distance from itself, and all of those
   * that are nearer than that.
   */
  leads(node: number, key: number, nowMs: number): number[] {
    this.#sort(nowMs)
    const target = bitsOf(key)
    const found: number[] = []
    let inner = { low: 0, high: 0 }
    let bits = Math.min(MAX_BITS, Math.clz32(this.distance(node, key)) + 1)
    for (; bits >= 0 && found.length < K; bits -= 1) {
      const outer = this.#block(target, bits)
      found.push(...this.#drawn(outer, inner))
      inner = outer
    }
    return found
      .filter((other) => other !== node)
      .sort((a, b) => this.distance(a, key) - this.distance(b, key))
      .slice(0, K)
  }

  /** Those with which a lookup begins: connected ones are in the table before others. */
  starts(node: number, key: number, nowMs: number): number[] {
    const bits = Math.clz32(this.distance(node, key)) + 1
    const isInTable = (other: number): boolean => Math.clz32(this.distance(other, key)) >= bits
    const linked = (this.#overlay.links[node] ?? []).filter(
      (other) => (this.#population.reach[other] ?? REACH.relayed) <= REACH.diallable && isInTable(other),
    )
    return [...new Set([...linked, ...this.leads(node, key, nowMs)])].slice(0, K)
  }

  /** The servers whose keys begin with so many bits of a target, by their places in the list. */
  #block(target: number, bits: number): { low: number; high: number } {
    const width = 2 ** (32 - bits)
    const start = Math.floor(target / width) * width
    return { low: this.#indexOf(start), high: this.#indexOf(start + width) }
  }

  /** Twenty servers of a block at random, or all where there are no more; without those of a block inside it. */
  #drawn(outer: { low: number; high: number }, inner: { low: number; high: number }): number[] {
    const before = inner.high > inner.low ? inner.low - outer.low : outer.high - outer.low
    const count = outer.high - outer.low - (inner.high - inner.low)
    const at = (place: number): number =>
      this.#sorted[place < before ? outer.low + place : inner.high + place - before]?.node ?? 0
    if (count <= K) return Array.from({ length: count }, (_, place) => at(place))
    const places = new Set<number>()
    while (places.size < K) places.add(Math.floor(this.#random() * count))
    return [...places].map(at)
  }

  /** What a lookup costs, to who asks and who is asked. Returns the closest. */
  lookUp(node: number, key: number, nowMs: number, providers = 0): number[] {
    this.#nowMs = nowMs
    const closest = this.closest(key, nowMs, node)
    const others = Math.min(ALPHA * (this.hops - 1), Math.max(0, this.servers - closest.length))
    for (const peer of closest) this.#ask(node, peer, providers)
    for (let asked = 0; asked < others; asked += 1) {
      const peer = this.#overlay.diallable.draw(this.#random)
      if (peer !== undefined) this.#ask(node, peer, 0)
    }
    const inVain = Math.round((closest.length + others) * GONE_IN_ROUTING_TABLE)
    this.#traffic.send(SPENT.dials, node, node, inVain * DIAL_IN_VAIN_BYTES)
    return closest
  }

  /** A node says that it offers a model, to the closest of each of its keys. */
  publish(node: number, model: number, nowMs: number): void {
    this.records[model]?.set(node, nowMs)
    for (let number = 0; number < KEYS; number += 1) {
      for (const peer of this.lookUp(node, keyOf(model, number), nowMs)) {
        this.#traffic.send(SPENT.dht, node, peer, COSTS.kadAddProviderBytes)
      }
    }
  }

  #ask(node: number, peer: number, providers: number): void {
    if (peer === node) return
    const traffic = this.#traffic
    const isKept = this.#random() * this.servers < this.keptBy(node, this.#nowMs)
    if (!isKept && !(this.#overlay.links[node]?.includes(peer) ?? false)) {
      traffic.both(SPENT.dials, node, peer, COSTS.connectBytes)
      this.#onDial(node, peer)
      for (const end of [node, peer]) this.#kept[end] = this.keptBy(end, this.#nowMs) + 1
    }
    traffic.send(SPENT.dht, node, peer, COSTS.kadQueryBytes)
    traffic.send(SPENT.dht, peer, node, COSTS.kadAnswerBytes + providers * COSTS.kadProviderBytes)
  }

  /** Connections that lookups opened, from either side, and that are still there. */
  keptBy(node: number, nowMs: number): number {
    const agoMs = nowMs - (this.#keptAtMs[node] ?? 0)
    const most = Math.max(0, this.#mostKept - (this.#overlay.links[node]?.length ?? 0))
    const kept = Math.min(most, (this.#kept[node] ?? 0) * Math.exp(-agoMs / OTHERS_STAY_MS))
    this.#kept[node] = kept
    this.#keptAtMs[node] = nowMs
    return kept
  }

  #sort(nowMs: number): void {
    if (nowMs - this.#sortedAtMs < SORT_EVERY_MS) return
    this.#sortedAtMs = nowMs
    this.#sorted = this.#overlay.diallable.list
      .map((node) => ({ key: bitsOf(this.#population.key[node] ?? 0), node }))
      .sort((a, b) => a.key - b.key)
  }

  #indexOf(key: number): number {
    let [low, high] = [0, this.#sorted.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((this.#sorted[middle]?.key ?? 0) < key) low = middle + 1
      else high = middle
    }
    return low
  }
}

/** Where a key of a model lies in the DHT: a number in [0, 1). */
export function keyOf(model: number, number: number): number {
  const mixed = Math.imul(model * KEYS + number + 1, 0x9e3779b1) ^ Math.imul(number + 7, 0x85ebca6b)
  return (Math.imul(mixed ^ (mixed >>> 15), 0x2c1b3c6d) >>> 0) / 2 ** 32
}

const bitsOf = (key: number): number => Math.floor(key * 2 ** 32)
