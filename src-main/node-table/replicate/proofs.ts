import { clientIdOf } from '../wire/canonical-update.js'
import type { CanonicalEntry } from '../wire/canonical-update.js'
import { compareLogicalTimes } from '../wire/epoch.js'
import type { LogicalTime } from '../wire/epoch.js'

/** Proof of an equivocation: two different envelopes of one owner and logical time, both signed by it. */
export interface EquivocationProof extends LogicalTime {
  peerId: string
  /** In the order of their bytes, so that the proof is the same at every node. */
  envelopes: readonly [Uint8Array, Uint8Array]
  /** Unix milliseconds from which on it is not needed: neither row counts any more. */
  endsAtMs: number
}

/** A proof takes up to 8 KB, at every node. An owner has one, so that one bad owner costs no more. */
const MAX_PROOFS = 100
/** What the keys of the two envelopes in a document end with; no peer id ends so. */
const SUFFIXES = ['/a', '/b'] as const

/** Proofs of equivocations, at most one an owner and {@link MAX_PROOFS} in all; the one that ends first goes first. */
export class EquivocationProofs {
  readonly #proofs = new Map<string, EquivocationProof>()
  /** Owners of those that stand in no document yet. */
  readonly #unwritten = new Set<string>()

  /** Returns false for one that is not needed: of the owner there is a later one, or all the others last longer. */
  keep(proof: EquivocationProof): boolean {
    const known = this.#proofs.get(proof.peerId)
    if (known !== undefined && compareLogicalTimes(proof, known) <= 0) return false
    this.#proofs.set(proof.peerId, proof)
    this.#unwritten.add(proof.peerId)
    if (this.#proofs.size <= MAX_PROOFS) return true
    const first = [...this.#proofs.values()].reduce((a, b) => (b.endsAtMs < a.endsAtMs ? b : a))
    this.#delete(first.peerId)
    return first !== proof
  }

  /** Forgets those that are not needed any more. */
  sweep(nowMs: number): void {
    for (const { peerId, endsAtMs } of this.#proofs.values()) if (endsAtMs <= nowMs) this.#delete(peerId)
  }

  /** What is still to be written, by epoch; then it is taken for written. */
  takeUnwritten(): Map<number, CanonicalEntry[]> {
    const owners = [...this.#unwritten]
    this.#unwritten.clear()
    const entries = owners.flatMap((peerId) => {
      const proof = this.#proofs.get(peerId)
      return proof === undefined ? [] : entriesOf(proof)
    })
    return Map.groupBy(entries, ({ epoch }) => epoch)
  }

  #delete(peerId: string): void {
    this.#proofs.delete(peerId)
    this.#unwritten.delete(peerId)
  }

  /** What a document holds of them: each envelope under a key and a client id that no row has. */
  *entries(): Generator<CanonicalEntry> {
    for (const proof of this.#proofs.values()) yield* entriesOf(proof)
  }
}

/** What a document holds of a proof. */
function entriesOf({ peerId, epoch, seq, envelopes }: EquivocationProof): CanonicalEntry[] {
  return envelopes.map((bytes, index) => {
    const key = `${peerId}${SUFFIXES[index] ?? ''}`
    return { peerId: key, epoch, seq, clientId: clientIdOf(key, epoch), bytes }
  })
}
