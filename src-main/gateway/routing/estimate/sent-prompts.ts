import { BoundedMap } from '../../../base/bounded-map.js'
import type { PromptChain } from './prompt-chain.js'

/** Blocks remembered of each provider, and providers: what was not used for the longest time is forgotten first. */
const MAX_BLOCKS_EACH = 2_048
const MAX_PROVIDERS = 256
/** Of those that have read as much, so many are told. */
const MAX_HOLDERS = 4

/** What was sent where, as hashes: a server that has read a beginning need not read it again. */
export class SentPrompts {
  readonly #held = new BoundedMap<string, BoundedMap<number, true>>(MAX_PROVIDERS)

  /** That provider has read this prompt. Its end is forgotten before its beginning. */
  read(peerId: string, { hashes }: PromptChain): void {
    let held = this.#held.get(peerId)
    if (held === undefined) {
      held = new BoundedMap(MAX_BLOCKS_EACH)
      this.#held.set(peerId, held)
    }
    for (let at = hashes.length - 1; at >= 0; at -= 1) held.set(hashes[at] as number, true)
  }

  /** Bytes at the beginning of the prompt that this provider has read, as far as is known. */
  knownBytes(peerId: string, { hashes, ends }: PromptChain): number {
    const held = this.#held.peek(peerId)
    // As nearly always: nothing of it, or all.
    if (held?.has(hashes[0] ?? Number.NaN) !== true) return 0
    if (held.has(hashes.at(-1) ?? Number.NaN)) return ends.at(-1) ?? 0
    // Whoever holds a block holds those before it.
    let [low, high] = [1, hashes.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (held.has(hashes[middle] as number)) low = middle + 1
      else high = middle
    }
    return ends[low - 1] ?? 0
  }

  /** Some of the providers that have read the most of it. */
  holders(chain: PromptChain): readonly string[] {
    let most = 1
    let holders: string[] = []
    for (const [peerId] of this.#held) {
      const known = this.knownBytes(peerId, chain)
      if (known > most) holders = []
      most = Math.max(most, known)
      if (known === most && holders.length < MAX_HOLDERS) holders.push(peerId)
    }
    return holders
  }
}
