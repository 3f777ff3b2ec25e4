import type { Clock, MonotonicClock } from '../../../src-main/base/clock.js'
import type { VerifiedRow } from '../../../src-main/node-table/view/entry.js'
import { createTableView, type TableView } from '../../../src-main/node-table/view/view.js'
import { EPOCH_MS, epochOf, epochStart, timeOf } from '../../../src-main/node-table/wire/epoch.js'
import { silentLog } from '../../fixtures/hosts.js'
import type { Publication } from './gossip.js'
import type { Population } from './population.js'

/** The day on which simulations begin. */
const START_MS = 20_000 * EPOCH_MS
/** A row's owner may change it so often by gossip; the simulator's do not. */
const NO_CHANGES = { tokens: 30, atMs: 0 }
const BYTES = new Uint8Array(1)

/** Virtual time as the program's own code reads it. */
export class VirtualClock implements Clock, MonotonicClock {
  atMs = 0
  now = (): number => START_MS + this.atMs
  elapsedMs = (): number => this.atMs
}

/** Tables of the nodes that are looked at: the program's own view, with its bounds, budgets and evictions. */
export class Observers {
  readonly #population: Population
  readonly #clock: VirtualClock
  readonly #views = new Map<number, TableView>()
  readonly #list: number[] = []

  constructor(population: Population, clock: VirtualClock) {
    this.#population = population
    this.#clock = clock
  }

  get nodes(): readonly number[] {
    return this.#list
  }

  add(node: number): void {
    const needs = { clock: this.#clock, monotonic: this.#clock, log: silentLog }
    this.#views.set(node, createTableView(needs, { selfId: this.#population.peerId(node) }))
    this.#list.push(node)
  }

  view(node: number): TableView | undefined {
    return this.#views.get(node)
  }

  /** Somebody's table, in the place of that of a node which has none here; `fits` says whose may. */
  any(random: () => number, fits: (node: number) => boolean = () => true): TableView | undefined {
    const list = this.#list.filter(fits)
    return this.#views.get(list[Math.floor(random() * list.length)] ?? -1)
  }

  /** Rows of a table, on average. */
  meanRows(): number {
    const sizes = [...this.#views.values()].map(({ size }) => size)
    return sizes.reduce((sum, size) => sum + size, 0) / Math.max(1, sizes.length)
  }

  sweep(): void {
    for (const view of this.#views.values()) view.sweep()
  }

  /** Takes in what gossip or a sync brought, as the verifier does with a signature that is right. True for news. */
  take(node: number, publication: Publication, source: 'gossip' | 'sync' | 'asked', bringer: number): boolean {
    const view = this.#views.get(node)
    if (view === undefined) return false
    const peerId = this.#population.peerId(publication.owner)
    const timeMs = Math.floor(START_MS + publication.atMs)
    const known = view.entry(peerId)
    if (known !== undefined && timeOf(known) >= timeMs) return false
    if (known === undefined && !view.hasRoomFor(peerId, source, NOBODY)) return false
    const row = this.#rowOf(publication, timeMs, source)
    if (!view.charge(row, this.#population.peerId(bringer))) return false
    view.observed(row)
    return true
  }

  #rowOf(publication: Publication, timeMs: number, source: VerifiedRow['source']): VerifiedRow {
    const { owner, leaseMs, atMs, isWithdrawal } = publication
    const epoch = epochOf(timeMs)
    const record = isWithdrawal ? undefined : this.#population.record(owner)
    return {
      ...{ peerId: this.#population.peerId(owner), epoch, seq: timeMs - epochStart(epoch) },
      ...{ bytes: BYTES, record, source, changes: NO_CHANGES },
      expiresAtMs: timeMs + leaseMs,
      endsAtMs: atMs + leaseMs,
    }
  }
}

const NOBODY: ReadonlySet<string> = new Set()

/** A public address of its own. */
export function addressOf(node: number): string {
  return `/ip4/${String(20 + (node >> 16))}.${String((node >> 8) & 255)}.${String(node & 255)}.7/tcp/43905`
}
