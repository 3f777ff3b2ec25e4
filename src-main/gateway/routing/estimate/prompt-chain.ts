import { hash, randomBytes } from 'node:crypto'
import type { JsonObjectBytes } from '../../../base/json/object.js'

/** The beginnings of a prompt, shorter ones first: a hash of each, and how many bytes it is long. */
export interface PromptChain {
  readonly hashes: readonly number[]
  /** Where the block of that hash ends. */
  readonly ends: readonly number[]
  /** Of the whole prompt. */
  readonly bytes: number
}

/** The first blocks are small, so that a conversation is known again from its first words on. */
const SMALL_BLOCKS = 16
const SMALL_BLOCK_BYTES = 64
/** What is hashed of the rest: so many blocks of each size. */
const BLOCKS_OF_A_SIZE = 64
const FIRST_BLOCK_BYTES = 1_024
const SIZES = 4
/** Blocks of a prompt that are remembered, at most: its first 961 KiB. */
export const MAX_BLOCKS = SMALL_BLOCKS + BLOCKS_OF_A_SIZE * SIZES
const MAX_BLOCK_BYTES = FIRST_BLOCK_BYTES * 2 ** (SIZES - 1)

const KEY_BYTES = 16
/** Its upper 30 bits: a number that V8 keeps in place is found in a map three times as fast. */
const HASH_BYTES = 4
const HEAD_BYTES = KEY_BYTES + HASH_BYTES

/** The members of a request that a server reads, in the order its template puts them. */
const PARTS = ['model', 'tools', 'system', 'instructions', 'messages', 'input', 'prompt'] as const

/**
 * Hashes prompts block by block. Each hash covers all before it, and a key that is drawn for this process: it says
 * nothing of a text, not even to somebody who knows the text.
 */
export class PromptHasher {
  /** The key, the hash before, and the block: what is hashed. */
  readonly #scratch = Buffer.alloc(HEAD_BYTES + MAX_BLOCK_BYTES)

  constructor() {
    randomBytes(KEY_BYTES).copy(this.#scratch)
  }

  /** Undefined where the request has no prompt. */
  chainOf(json: JsonObjectBytes): PromptChain | undefined {
    const hashes: number[] = []
    const ends: number[] = []
    let bytes = 0
    let previous = 0
    for (const name of PARTS) {
      const part = json.raw(name)
      if (part === undefined) continue
      // A later turn goes on where the closing bracket or quote stands now.
      for (let at = 0; at < part.length && hashes.length < MAX_BLOCKS;) {
        const size = blockBytes(hashes.length)
        const isWhole = at + size < part.length
        // The end of a prompt goes on in the next turn; what stands before it is whole as it is, and no beginning by itself.
        if (!isWhole && isPrompt(name)) break
        previous = this.#hash(previous, part.subarray(at, at + size))
        at += size
        if (!isWhole) break
        hashes.push(previous)
        ends.push(bytes + at)
      }
      bytes += part.length
    }
    return json.has('messages') || json.has('input') || json.has('prompt') ? { hashes, ends, bytes } : undefined
  }

  #hash(previous: number, block: Buffer): number {
    this.#scratch.writeUInt32BE(previous, KEY_BYTES)
    block.copy(this.#scratch, HEAD_BYTES)
    // As characters of a byte each: a third of the price of a buffer.
    const digest = hash('sha1', this.#scratch.subarray(0, HEAD_BYTES + block.length), 'binary')
    const at = (index: number): number => digest.charCodeAt(index)
    return ((at(0) << 24) | (at(1) << 16) | (at(2) << 8) | at(3)) >>> 2
  }
}

const isPrompt = (name: (typeof PARTS)[number]): boolean => name === 'messages' || name === 'input' || name === 'prompt'

const blockBytes = (index: number): number =>
  index < SMALL_BLOCKS
    ? SMALL_BLOCK_BYTES
    : FIRST_BLOCK_BYTES * 2 ** Math.floor((index - SMALL_BLOCKS) / BLOCKS_OF_A_SIZE)
