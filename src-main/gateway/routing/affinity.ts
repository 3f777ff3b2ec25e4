import { hash } from 'node:crypto'
import { BoundedMap } from '../../base/bounded-map.js'
import type { MonotonicClock } from '../../base/clock.js'
import { elementsOf, JsonObjectBytes } from '../../base/json/object.js'

/** Who served the beginning of a conversation last: its cache of it is warm. */
export interface Affinity {
  lastServer(key: string): string | undefined
  served(key: string, peerId: string): void
}

/** Conversations remembered; the longest unused is forgotten first. */
const MAX_CONVERSATIONS = 8_192

/** A server's cache of a conversation is gone by then. */
const FORGET_AFTER_MS = 10 * 60_000

/** Bytes of each part of a prompt's beginning that make its key. */
const PREFIX_BYTES = 2_048
/** The first turns are looked for in so many bytes. */
const WINDOW_BYTES = 256 * 1024

/** Remembers it in memory, for so many conversations. */
export function createAffinity(needs: { monotonic: MonotonicClock }): Affinity {
  const servers = new BoundedMap<string, { peerId: string; atMs: number }>(MAX_CONVERSATIONS)
  return {
    lastServer(key) {
      const known = servers.peek(key)
      if (known === undefined) return undefined
      if (needs.monotonic.elapsedMs() - known.atMs <= FORGET_AFTER_MS) return known.peerId
      servers.delete(key)
      return undefined
    },
    served(key, peerId) {
      servers.set(key, { peerId, atMs: needs.monotonic.elapsedMs() })
    },
  }
}

/**
 * A hash of how the conversation begins (system text and first turn), the same for all its later turns; undefined where
 * there is no conversation. Only the hash is kept, never the text.
 */
export function conversationKey(json: JsonObjectBytes): string | undefined {
  const beginning = beginningOf(json)
  if (beginning === undefined) return undefined
  const parts = [json.raw('model') ?? NOTHING, ...beginning].map((part) => part.subarray(0, PREFIX_BYTES))
  return hash('sha1', Buffer.concat(parts.flatMap((part) => [part, SEPARATOR])), 'base64')
}

const OPEN_BRACKET = 0x5b
const QUOTE = 0x22
const NOTHING = Buffer.alloc(0)
const SEPARATOR = Buffer.alloc(1)

function beginningOf(json: JsonObjectBytes): Buffer[] | undefined {
  const turns = json.raw('messages') ?? json.raw('input')
  if (turns?.[0] !== OPEN_BRACKET) {
    const text = turns ?? json.raw('prompt')
    return text?.[0] === QUOTE && text.length > 2 ? [text] : undefined
  }
  const [first, second = NOTHING] = elementsOf(turns.subarray(0, WINDOW_BYTES))
  if (first === undefined) return undefined
  const turn = JsonObjectBytes.fromBeginning(first)
  const rest = turn?.text('role') === 'user' ? [] : [contentOf(second, JsonObjectBytes.fromBeginning(second))]
  return [json.raw('system') ?? json.raw('instructions') ?? NOTHING, contentOf(first, turn), ...rest]
}

const contentOf = (turn: Buffer, object: JsonObjectBytes | undefined): Buffer => object?.raw('content') ?? turn
