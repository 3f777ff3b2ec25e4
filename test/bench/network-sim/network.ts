import { drawn } from '../../../src-main/node-table/budget/drawn.js'
import {
  createGossipBudget,
  type GossipBudget,
  MIN_PARTIAL_ROWS,
} from '../../../src-main/node-table/budget/gossip-budget.js'
import { SYNCS_ON_CONNECT } from '../../../src-main/node-table/budget/sync-plan.js'
import { MAX_ROWS } from '../../../src-main/node-table/wire/canonical-update.js'
import { refreshFactor } from '../../../src-main/p2p/hardening/dht/refresh-interval.js'
import { createRandom } from '../routing/random.js'
import { COSTS } from './costs.js'
import { Dht } from './dht.js'
import { EventQueue } from './event-queue.js'
import { Gossip, type Publication } from './gossip.js'
import { absenceMs, dayFactor, residualMs, sessionMs } from './internet.js'
import { addressOf, Observers, VirtualClock } from './observers.js'
import { Overlay } from './overlay.js'
import { Partition } from './partition.js'
import { createPopulation, type Population, REACH } from './population.js'
import { isWorthAsking } from './proving.js'
import { Publishing } from './publishing.js'
import { Relays } from './relays.js'
import type { Scenario } from './scenario.js'
import { NEWCOMER_MS, Syncs } from './syncs.js'
import { SPENT, Traffic } from './traffic.js'

/** The default of `table.background-budget`. */
export const BUDGET_BYTES_PER_S = 1024
const HOUR_MS = 3_600_000
/** Lookups of a node for itself, an hour, and when it starts. */
const [SELF_LOOKUPS, FIRST_LOOKUPS] = [3, 5]
/** A stop without a withdrawal: power, sleep, a pulled plug. Assumed. */
const ENDS_SILENTLY = 0.5
const PUBLISH_EVERY_MS = 12 * HOUR_MS
/** Connections that a node leaves open when lookups have opened them: `CONNECTION_ROOM`, and idle-connections.ts. */
const MOST_CONNECTIONS = { former: 2_000, now: 40 }
/** Rows a table is taken to hold until those that are simulated have filled. */
const [ROWS_AT_FIRST, FILLS_WITHIN_MS] = [1_500, HOUR_MS]
const FLOOD_EVERY_MS = 60_000

const EVENT = { join: 0, leave: 1, renew: 2, lookup: 3, sync: 4, provide: 5, minute: 6, flood: 7, mend: 8 } as const

/** A network in virtual time. */
export class Network {
  readonly scenario: Scenario
  readonly population: Population
  readonly clock = new VirtualClock()
  readonly random: () => number
  readonly overlay: Overlay
  readonly observers: Observers
  readonly traffic: Traffic
  readonly dht: Dht
  readonly relays: Relays
  readonly partition: Partition
  readonly budgets: (GossipBudget | undefined)[]
  /** Publications with how long until each observer that heard of it did; rows asked for their status. */
  readonly counted = { publications: 0, reached: 0, delaysMs: [] as number[], proved: 0 }
  /** When a node came, and how long it was there while things were counted. */
  readonly joinedAtMs: Float64Array
  readonly countedMs: Float64Array
  readonly #queue = new EventQueue()
  readonly #gossip: Gossip
  readonly #syncs: Syncs
  readonly #publishing: Publishing
  /** Rows of a table: of those that are looked at, on average; at first as many as there will be, for the leases. */
  #meanRows: number

  get meanRows(): number {
    return this.#meanRows
  }

  #countsFromMs = Infinity

  constructor(scenario: Scenario) {
    this.scenario = scenario
    this.#meanRows = Math.min(scenario.nodes, ROWS_AT_FIRST)
    this.random = createRandom(scenario.seed)
    this.population = createPopulation(scenario, this.random)
    const { size, peerId } = this.population
    this.traffic = new Traffic(size)
    this.overlay = new Overlay(this.population, this.random, (from, to) => this.#linked(from, to))
    this.observers = new Observers(this.population, this.clock)
    this.relays = new Relays(this)
    this.partition = new Partition(this, (node) => this.#mendSoon(node))
    const { population, overlay, traffic, random } = this
    const onDial = (from: number, to: number): void =>
      scenario.former ? void this.#syncs.compare(from, to) : this.partition.looked(from, to)
    this.dht = new Dht(
      { population, overlay, traffic, random, onDial },
      { mostConnections: MOST_CONNECTIONS[scenario.former ? 'former' : 'now'] },
    )
    this.budgets = new Array<GossipBudget | undefined>(size)
    this.joinedAtMs = new Float64Array(size)
    this.countedMs = new Float64Array(size)
    this.#syncs = new Syncs(this, BUDGET_BYTES_PER_S)
    this.#gossip = new Gossip({
      ...{ overlay, traffic, random, budgets: this.budgets, nodes: size, peerId },
      hasBudgets: !scenario.former,
      holds: (node, owner) => this.#holds(node, owner),
      hasRoom: (node, owner) => this.#meanRows < MAX_ROWS || this.#holds(node, owner),
      onReceived: (node, from, publication, atMs) => this.#received(node, from, publication, atMs),
      setNow: (nowMs) => (this.clock.atMs = nowMs),
    })
    this.#publishing = new Publishing(this, this.#gossip)
    this.#begin()
  }

  /** Time passes. */
  run(untilMs: number): void {
    while (this.#queue.nextMs <= untilMs) {
      const { atMs, kind, node } = this.#queue.pop()
      this.clock.atMs = atMs
      this.#handle(kind, node, atMs)
    }
    this.clock.atMs = untilMs
  }

  /** What was sent counts from now on. */
  startCounting(): void {
    this.traffic.reset()
    Object.assign(this.counted, { publications: 0, reached: 0, proved: 0 })
    this.counted.delaysMs.length = 0
    this.#countsFromMs = this.clock.atMs
  }

  stopCounting(): void {
    for (const node of this.overlay.everybody.list) this.#countTime(node)
    this.#countsFromMs = Infinity
  }

  isPartial(node: number): boolean {
    return !this.scenario.former && (this.budgets[node]?.isPartial ?? false)
  }

  rowsOf(node: number): number {
    // Their tables fill within hours, which is longer than they are looked at.
    if (this.scenario.former) return Math.min(MAX_ROWS, this.overlay.everybody.size)
    const rows = this.observers.view(node)?.size ?? this.#meanRows
    return this.clock.atMs < FILLS_WITHIN_MS ? Math.max(rows, this.#meanRows) : rows
  }

  /** Brings a node in now; `dialFirst` is whom it dials before it looks for others. */
  join(node: number, dialFirst: () => void = () => undefined): void {
    const { clock, random } = this
    const now = clock.atMs
    this.overlay.join(node)
    this.joinedAtMs[node] = now
    this.budgets[node] = createGossipBudget(
      { monotonic: clock, rows: () => this.rowsOf(node) },
      { budgetBytesPerS: BUDGET_BYTES_PER_S },
    )
    dialFirst()
    this.overlay.fill(node)
    this.relays.fill(node)
    if (this.scenario.churn && this.population.reach[node] !== REACH.volunteer) {
      this.#queue.push(now + sessionMs(random), EVENT.leave, node)
    }
    this.#start(node, 5_000)
    for (let lookups = 0; lookups < FIRST_LOOKUPS; lookups += 1) this.dht.lookUp(node, random(), now)
  }

  #begin(): void {
    const { population, random, scenario } = this
    const isOn = Array.from({ length: population.size }, (_, node) => population.startOnline(node, random))
    for (const [node, on] of isOn.entries()) {
      if (on) this.overlay.join(node)
      else this.#queue.push(absenceMs(random), EVENT.join, node)
    }
    for (const node of [...this.overlay.everybody.list]) {
      const { left, age } = residualMs(random)
      this.joinedAtMs[node] = -age
      this.budgets[node] = createGossipBudget(
        { monotonic: this.clock, rows: () => this.rowsOf(node) },
        { budgetBytesPerS: BUDGET_BYTES_PER_S },
      )
      this.overlay.fill(node)
      this.relays.fill(node)
      if (scenario.churn && population.reach[node] !== REACH.volunteer) this.#queue.push(left, EVENT.leave, node)
      this.#start(node, Math.min(HOUR_MS, scenario.warmUpMs / 3))
    }
    for (const node of drawn([...this.overlay.everybody.list], scenario.observers, random)) this.observers.add(node)
    this.#queue.push(60_000, EVENT.minute, 0)
  }

  #start(node: number, withinMs: number): void {
    const now = this.clock.atMs
    const soon = (): number => now + this.random() * withinMs
    // Where leases are long, renewals are a part of all that there is from the first minute on.
    const renewsInMs = this.scenario.former && now === 0 ? this.random() * this.#publishing.renewsWithinMs(node) : 0
    this.#queue.push(renewsInMs > 0 ? now + renewsInMs : soon(), EVENT.renew, node)
    this.#queue.push(soon() + 60_000, EVENT.sync, node)
    this.#queue.push(soon() + 60_000, EVENT.lookup, node)
    if ((this.population.models[node]?.length ?? 0) > 0) this.#queue.push(soon() + 30_000, EVENT.provide, node)
    if (this.population.isHostile[node] === 1) this.#queue.push(soon(), EVENT.flood, node)
  }

  #handle(kind: number, node: number, now: number): void {
    if (kind === EVENT.minute) this.#everyMinute(now)
    else if (kind === EVENT.join) this.#mayJoin(node, now)
    else if (this.overlay.online[node] === 1) this.#live(kind, node, now)
  }

  #mayJoin(node: number, now: number): void {
    if (this.overlay.online[node] === 1) return
    // By night somebody may as well stay away for a while longer.
    const isTime = this.random() * 1.5 < dayFactor(now, this.population.region[node] ?? 0)
    if (isTime) this.join(node)
    else this.#queue.push(now + HOUR_MS, EVENT.join, node)
  }

  #live(kind: number, node: number, now: number): void {
    if (kind === EVENT.leave) this.#leave(node, now)
    else if (kind === EVENT.mend) this.#mend(node)
    else if (this.joinedAtMs[node] !== undefined && this.joinedAtMs[node] <= now) this.#work(kind, node, now)
  }

  #mendSoon(node: number): void {
    this.#queue.push(this.clock.atMs + 5_000 * this.random(), EVENT.mend, node)
  }

  #mend(node: number): void {
    this.overlay.mend(node)
    this.relays.fill(node)
  }

  #work(kind: number, node: number, now: number): void {
    if (kind === EVENT.renew) this.#renew(node, now)
    else if (kind === EVENT.flood) {
      this.#publishing.row(node, now, false)
      this.#queue.push(now + FLOOD_EVERY_MS, EVENT.flood, node)
    } else if (kind === EVENT.sync) this.#queue.push(now + this.#syncs.round(node, now), EVENT.sync, node)
    else if (kind === EVENT.lookup) {
      this.dht.lookUp(node, this.random(), now)
      const perHour =
        (SELF_LOOKUPS + this.dht.distances) / (this.scenario.former ? 1 : refreshFactor(this.dht.tablePeers))
      this.#queue.push(now + (-Math.log(1 - this.random()) * HOUR_MS) / perHour, EVENT.lookup, node)
    } else if (kind === EVENT.provide) {
      this.#publishing.records(node, now)
      this.#queue.push(now + PUBLISH_EVERY_MS, EVENT.provide, node)
    }
  }

  #renew(node: number, now: number): void {
    const leaseMs = this.#publishing.row(node, now, false)
    this.#queue.push(now + leaseMs * (0.4 + this.random() * 0.1), EVENT.renew, node)
  }

  #linked(from: number, to: number): void {
    this.traffic.both(SPENT.dials, from, to, COSTS.connectBytes)
    const view = this.observers.view(from)
    view?.verified(this.population.peerId(to), addressOf(to))
    this.observers.view(to)?.verified(this.population.peerId(from), addressOf(from))
    const isFirst = this.clock.atMs - (this.joinedAtMs[from] ?? 0) < NEWCOMER_MS
    const mayBe = isFirst && (this.overlay.links[from]?.length ?? 0) <= SYNCS_ON_CONNECT.capacity
    if (this.scenario.former || this.rowsOf(from) < MIN_PARTIAL_ROWS || mayBe) this.#syncs.compare(from, to)
  }

  #leave(node: number, now: number): void {
    if (this.random() >= ENDS_SILENTLY) this.#publishing.row(node, now, true)
    this.#countTime(node)
    const peers = this.overlay.leave(node)
    this.relays.left(node, peers)
    for (const other of peers) this.#mendSoon(other)
    this.budgets[node] = undefined
    this.#queue.push(now + absenceMs(this.random), EVENT.join, node)
  }

  #received(node: number, from: number, publication: Publication, atMs: number): void {
    const view = this.observers.view(node)
    if (view === undefined) return
    const isNews = view.get(this.population.peerId(publication.owner)) === undefined
    if (!this.observers.take(node, publication, 'gossip', from) || publication.isWithdrawal) return
    if (publication.owner !== from) this.counted.delaysMs.push(atMs - publication.atMs)
    if (isNews && isWorthAsking(this, node, publication.owner)) this.counted.proved += 1
  }

  #holds(node: number, owner: number): boolean {
    const view = this.observers.view(node)
    if (view !== undefined) return view.get(this.population.peerId(owner)) !== undefined
    return this.random() * this.overlay.everybody.size < this.#meanRows
  }

  #countTime(node: number): void {
    const fromMs = Math.max(this.#countsFromMs, this.joinedAtMs[node] ?? 0)
    if (fromMs < this.clock.atMs) this.countedMs[node] = (this.countedMs[node] ?? 0) + this.clock.atMs - fromMs
  }

  #everyMinute(now: number): void {
    this.observers.sweep()
    this.#meanRows = this.scenario.former ? this.rowsOf(0) : this.observers.meanRows()
    if (now < FILLS_WITHIN_MS) this.#meanRows = Math.max(this.#meanRows, Math.min(this.scenario.nodes, ROWS_AT_FIRST))
    for (const node of this.overlay.everybody.list) {
      const links = (this.overlay.links[node]?.length ?? 0) + this.dht.keptBy(node, now)
      this.traffic.send(SPENT.keepAlive, node, node, links * COSTS.keepAliveBytesPerS * 60)
    }
    this.relays.minute()
    this.#queue.push(now + 60_000, EVENT.minute, 0)
  }
}
