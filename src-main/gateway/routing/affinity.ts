import { hash } from 'node:crypto'
import type { Clock } from '../../base/clock.js'
import type { JsonObject } from '../body/request-body.js'

/** Who served the beginning of a conversation last: its cache of it is warm. */
export interface Affinity {
  lastServer(key: string): string | undefined
  served(key: string, peerId: string): void
}

/** Conversations remembered; the longest unused is forgotten first. */
const MAX_CONVERSATIONS = 8_192

/** A server's cache of a conversation is gone by then. */
const FORGET_AFTER_MS = 10 * 60_000

/** Characters of the prompt's beginning that make its key. */
const PREFIX_CHARS = 2_048

export function createAffinity(needs: { clock: Clock }): Affinity {
  const servers = new Map<string, { peerId: string; atMs: number }>()
  return {
    lastServer(key) {
      const known = servers.get(key)
      if (known === undefined) return undefined
      if (needs.clock.now() - known.atMs <= FORGET_AFTER_MS) return known.peerId
      servers.delete(key)
      return undefined
    },
    served(key, peerId) {
      servers.delete(key)
      servers.set(key, { peerId, atMs: needs.clock.now() })
      if (servers.size > MAX_CONVERSATIONS) for (const oldest of servers.keys()) return void servers.delete(oldest)
    },
  }
}

/**
 * A hash of how the conversation begins (system text and first turn), the same for all its later turns; undefined where
 * there is no conversation. Only the hash is kept, never the text.
 */
export function conversationKey(json: JsonObject): string | undefined {
  const beginning = beginningOf(json)
  if (beginning === undefined || beginning === '') return undefined
  return hash('sha1', `${textOf(json['model'])}\0${beginning}`, 'base64')
}

function beginningOf(json: JsonObject): string | undefined {
  const turns = json['messages'] ?? json['input']
  if (Array.isArray(turns)) {
    const [first, second] = turns as unknown[]
    const turn = roleOf(first) === 'user' ? textOf(first) : `${textOf(first)}\0${textOf(second)}`
    return `${textOf(json['system'] ?? json['instructions'])}\0${turn}`.slice(0, PREFIX_CHARS)
  }
  const text = typeof turns === 'string' ? turns : json['prompt']
  return typeof text === 'string' ? text.slice(0, PREFIX_CHARS) : undefined
}

function roleOf(turn: unknown): unknown {
  return typeof turn === 'object' && turn !== null && 'role' in turn ? turn.role : undefined
}

/** The beginning of whatever stands there, as text. */
function textOf(value: unknown): string {
  if (value === undefined) return ''
  if (typeof value === 'string') return value.slice(0, PREFIX_CHARS)
  if (typeof value === 'object' && value !== null && 'content' in value && typeof value.content === 'string') {
    return value.content.slice(0, PREFIX_CHARS)
  }
  return JSON.stringify(value).slice(0, PREFIX_CHARS)
}
