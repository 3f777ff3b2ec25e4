import type { PeerRecord } from '#shared/records.js'
import { BoundedMap } from '../../base/bounded-map.js'
import { MAX_ROWS } from '../wire/canonical-update.js'

/** What rows of owners that this node never met may take. */
export interface RowBudget {
  /** Bytes of memory, estimated. */
  bytes: number
  /** Distinct names: identity-group entries, by service. */
  names: number
}

/** What of a row is charged. */
interface BroughtRow {
  peerId: string
  /** The signed envelope. */
  bytes: Uint8Array
  /** `undefined` in a withdrawal. */
  record: PeerRecord | undefined
}

/** The bringer of rows from this node's own disk: who brought them then is not known any more. */
export const FROM_DISK = 'disk'

/**
 * The budgets, of one bringer and in all. A sync with an honest peer may bring ten thousand rows of 18 entries, which are
 * 36 MiB, or far more of fewer (docs/decisions/0024).
 */
const PER_BRINGER: RowBudget = { bytes: 40 * 1024 * 1024, names: 2_048 }
const IN_ALL: RowBudget = { bytes: 64 * 1024 * 1024, names: 8_192 }

/** What a row takes besides its envelope: its objects, and those of each service and entry. Measured: 3.6 KB with 18. */
const ROW_BYTES = 1_000
const SERVICE_BYTES = 300
const ENTRY_BYTES = 100

/** A name that rows offer; in the map of names while any does. */
interface Name {
  key: string
  /** Who is charged with it. */
  bringer: string
  rows: number
}

interface Charge {
  bringer: string
  bytes: number
  names: readonly Name[]
}

interface Bringer {
  bytes: number
  names: number
  /** Owners whose rows are in the view, the longest unchanged first. */
  shown: Set<string>
  /** Those of them that did not answer when this node asked whether they are there. */
  gone: Set<string>
}

/**
 * The rows of owners that this node never met, charged to the peer that brought them first, or to all that share its
 * address. Identities cost nothing, so one bringer may fill its own budget and no more; where all of them together have
 * too much, who brought most loses some first. A name is charged to the bringer that had it first.
 */
export class BroughtRows {
  readonly #charges = new Map<string, Charge>()
  readonly #bringers = new Map<string, Bringer>()
  readonly #names = new Map<string, Name>()
  /** Owners that did not answer: their rows evict none. */
  readonly #gone = new BoundedMap<string, true>(MAX_ROWS)
  readonly #perBringer: RowBudget
  readonly #inAll: RowBudget
  readonly #evict: (peerId: string) => void
  #bytes = 0
  #shown = 0

  /** `evict` removes a row from the view, which then {@link BroughtRows.release}s it. */
  constructor(evict: (peerId: string) => void, budgets: { perBringer?: RowBudget; inAll?: RowBudget } = {}) {
    this.#evict = evict
    this.#perBringer = budgets.perBringer ?? PER_BRINGER
    this.#inAll = budgets.inAll ?? IN_ALL
  }

  /** Rows of them in the view. */
  get size(): number {
    return this.#shown
  }

  /** Who brought a row; undefined for one of an owner that was met. */
  bringerOf(peerId: string): string | undefined {
    return this.#charges.get(peerId)?.bringer
  }

  /**
   * Charges a row, or a change of one, that is to come into the view. Evicts what it displaces. Returns false, and
   * nothing is changed for its owner, where its bringer has no budget left.
   */
  charge(row: BroughtRow, bringer: string): boolean {
    const { peerId } = row
    const before = this.#charges.get(peerId)
    const charge = this.#chargeOf(before?.bringer ?? bringer, row)
    if (before !== undefined) this.#refund(before)
    if (this.#makeRoom(peerId, charge)) {
      this.#book(peerId, charge)
      return true
    }
    if (before !== undefined) this.#book(peerId, before)
    return false
  }

  /** Whether there is budget for a row, or a row to evict for it. Changes nothing. */
  mayCharge(row: BroughtRow, bringer: string): boolean {
    const { peerId } = row
    const before = this.#charges.get(peerId)
    const charge = this.#chargeOf(before?.bringer ?? bringer, row)
    const payer = this.#bringers.get(charge.bringer)
    if (payer === undefined || before !== undefined || this.#fits(charge, payer, this.#budgetOf(charge.bringer)))
      return true
    return payer.gone.size > 0 && !this.#gone.has(peerId)
  }

  /** Charges a row that is in the view to its owner, whatever the budgets, where nobody is charged with it. */
  take(row: BroughtRow): void {
    if (!this.#charges.has(row.peerId)) this.#book(row.peerId, this.#chargeOf(row.peerId, row))
  }

  /** A charged row came into the view, or changed there. */
  shown(peerId: string): void {
    const bringer = this.#bringers.get(this.bringerOf(peerId) ?? '')
    if (bringer === undefined) return
    if (!bringer.shown.delete(peerId)) this.#shown += 1
    bringer.shown.add(peerId)
    if (this.#gone.has(peerId)) bringer.gone.add(peerId)
  }

  /** A charged row was withdrawn: what is left of it is not evicted to make room for rows. */
  hidden(peerId: string): void {
    const bringer = this.#bringers.get(this.bringerOf(peerId) ?? '')
    bringer?.gone.delete(peerId)
    if (bringer?.shown.delete(peerId) === true) this.#shown -= 1
  }

  /** Its lease is over: its names are offered no longer. */
  ended(peerId: string): void {
    const charge = this.#charges.get(peerId)
    if (charge === undefined || charge.names.length === 0) return
    this.#refund(charge)
    this.#book(peerId, { ...charge, names: [] })
  }

  /** The row is out of the view, or never came in. */
  release(peerId: string): void {
    const charge = this.#charges.get(peerId)
    if (charge === undefined) return
    this.#refund(charge)
    this.#charges.delete(peerId)
    const bringer = this.#bringers.get(charge.bringer)
    if (bringer === undefined) return
    bringer.gone.delete(peerId)
    if (bringer.shown.delete(peerId)) this.#shown -= 1
    this.#tidy(charge.bringer)
  }

  /** This node met the owner: its row costs nobody anything from now on. */
  met(peerId: string): void {
    this.#gone.delete(peerId)
    this.release(peerId)
  }

  /** The owner did not answer. Its row is the first to be evicted, and evicts no other when it is brought again. */
  unreachable(peerId: string): void {
    this.#gone.set(peerId, true)
    const bringer = this.#bringers.get(this.bringerOf(peerId) ?? '')
    if (bringer?.shown.has(peerId) === true) bringer.gone.add(peerId)
  }

  /** The row to evict first: of the bringer that brought most, one whose owner did not answer, or the longest unchanged. */
  first(): string | undefined {
    return firstOf(this.#heaviest()?.bringer)
  }

  #makeRoom(peerId: string, charge: Charge): boolean {
    const { bringer } = charge
    const budget = this.#budgetOf(bringer)
    const mayEvict = !this.#gone.has(peerId)
    while (!this.#fits(charge, this.#bringers.get(bringer), budget)) {
      const gone = firstIn(this.#bringers.get(bringer)?.gone, peerId)
      if (!mayEvict || gone === undefined) return false
      this.#evict(gone)
    }
    while (!this.#fits(charge, { bytes: this.#bytes, names: this.#names.size }, this.#inAll)) {
      const heaviest = this.#heaviest()
      if (!mayEvict || heaviest === undefined) return false
      // Who brought most displaces only what is not there.
      const isOwn = heaviest.name === bringer
      const evicted = isOwn ? firstIn(heaviest.bringer.gone, peerId) : firstOf(heaviest.bringer, peerId)
      if (evicted === undefined) return false
      this.#evict(evicted)
    }
    return true
  }

  #budgetOf(bringer: string): RowBudget {
    return bringer === FROM_DISK ? this.#inAll : this.#perBringer
  }

  #fits(charge: Charge, used: { bytes: number; names: number } | undefined, budget: RowBudget): boolean {
    const { bytes, names } = used ?? { bytes: 0, names: 0 }
    if (bytes + charge.bytes > budget.bytes) return false
    // A row that adds no name is welcome where the names are used up.
    const added = charge.names.filter(({ rows }) => rows === 0).length
    return added === 0 || names + added <= budget.names
  }

  #heaviest(): { name: string; bringer: Bringer } | undefined {
    let heaviest: { name: string; bringer: Bringer; weight: number } | undefined
    for (const [name, bringer] of this.#bringers) {
      if (bringer.shown.size === 0) continue
      const weight = Math.max(bringer.bytes / this.#perBringer.bytes, bringer.names / this.#perBringer.names)
      if (heaviest === undefined || weight > heaviest.weight) heaviest = { name, bringer, weight }
    }
    return heaviest
  }

  #book(peerId: string, charge: Charge): void {
    this.#charges.set(peerId, charge)
    this.#bytes += charge.bytes
    const bringer = this.#bringerNamed(charge.bringer)
    bringer.bytes += charge.bytes
    for (const name of charge.names) {
      name.rows += 1
      if (name.rows > 1) continue
      name.bringer = charge.bringer
      this.#names.set(name.key, name)
      bringer.names += 1
    }
  }

  #refund(charge: Charge): void {
    this.#bytes -= charge.bytes
    this.#bringerNamed(charge.bringer).bytes -= charge.bytes
    for (const name of charge.names) {
      name.rows -= 1
      if (name.rows > 0) continue
      this.#names.delete(name.key)
      this.#bringerNamed(name.bringer).names -= 1
      this.#tidy(name.bringer)
    }
  }

  #tidy(name: string): void {
    const bringer = this.#bringers.get(name)
    if (bringer?.bytes === 0 && bringer.names === 0 && bringer.shown.size === 0) this.#bringers.delete(name)
  }

  #chargeOf(bringer: string, { bytes: envelope, record }: BroughtRow): Charge {
    const services = record?.service ?? []
    const keys = services.flatMap(({ name, identity_group: group }) => group.map((entry) => `${name}\0${entry}`))
    const bytes = ROW_BYTES + envelope.byteLength + SERVICE_BYTES * services.length + ENTRY_BYTES * keys.length
    const names = [...new Set(keys)].map((key): Name => this.#names.get(key) ?? { key, bringer, rows: 0 })
    return { bringer, bytes, names }
  }

  #bringerNamed(name: string): Bringer {
    const known = this.#bringers.get(name)
    if (known !== undefined) return known
    const bringer: Bringer = { bytes: 0, names: 0, shown: new Set(), gone: new Set() }
    this.#bringers.set(name, bringer)
    return bringer
  }
}

function firstOf(bringer: Bringer | undefined, except?: string): string | undefined {
  return firstIn(bringer?.gone, except) ?? firstIn(bringer?.shown, except)
}

function firstIn(set: ReadonlySet<string> | undefined, except: string | undefined): string | undefined {
  for (const member of set ?? []) if (member !== except) return member
  return undefined
}
