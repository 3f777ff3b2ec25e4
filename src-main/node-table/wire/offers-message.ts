import type { KeyObject } from 'node:crypto'
import { z } from 'zod'
import { ServiceSchema } from '#shared/records.js'
import type { OfferedService } from '../index.js'
import { createByteReader } from './bytes.js'
import { servicesAsSeen } from './seen-record.js'
import { isSignedJson, parseJson, signJson } from './signed-json.js'

/** The stream protocol by which peers that trust each other tell what they offer. */
export const OFFERS_PROTOCOL = '/ocf/offers/1.0.0'

const VERSION = 1
const ASK = 0
const CHANGED = 1
const NONCE_BYTES = 16
const SIGNATURE_BYTES = 64
const LENGTH_BYTES = 2
const DOMAIN = 'ocf-offers-v1\0'
/** What a row has room for twice over, with the names of its services. */
const MAX_JSON_BYTES = 12 * 1024
/** As long as a row may count. */
const MAX_LEASE_MS = 12 * 60 * 60 * 1000

/** Bytes of a request, at most. */
export const MAX_OFFERS_REQUEST_BYTES = 2 + NONCE_BYTES
/** Bytes of an answer, at most. */
export const MAX_OFFERS_ANSWER_BYTES = 1 + LENGTH_BYTES + MAX_JSON_BYTES + SIGNATURE_BYTES

/** What is said to a peer: asks for its offers, or says that this node's have changed, which is not answered. */
export type OffersRequest = { kind: 'ask'; nonce: Uint8Array } | { kind: 'changed' }

/** What a peer offers, and for how long (ms) that counts. */
export interface OffersAnswer {
  leaseMs: number
  services: readonly OfferedService[]
}

/** Who asked whom what: an answer is good for this only. */
export interface OffersContext {
  nonce: Uint8Array
  /** Peer id of the one who asks. */
  asker: string
}

const OfferedSchema = ServiceSchema.pick({ name: true, status: true, identity_group: true, model_facts: true })
const AnswerSchema = z.object({
  lease: z.number().int().min(1000).max(MAX_LEASE_MS),
  services: z.array(OfferedSchema).max(32),
})

/** The request as bytes. */
export function encodeOffersRequest(request: OffersRequest): Uint8Array {
  return request.kind === 'ask'
    ? Uint8Array.from([VERSION, ASK, ...request.nonce])
    : Uint8Array.from([VERSION, CHANGED])
}

/** The request in `bytes`; `'incomplete'`: more have to come; `undefined` for anything else. Never throws. */
export function decodeOffersRequest(bytes: Uint8Array): OffersRequest | 'incomplete' | undefined {
  if (bytes.byteLength === 0) return 'incomplete'
  if (bytes[0] !== VERSION || bytes.byteLength > MAX_OFFERS_REQUEST_BYTES) return undefined
  if (bytes.byteLength === 1) return 'incomplete'
  if (bytes[1] === CHANGED) return bytes.byteLength === 2 ? { kind: 'changed' } : undefined
  if (bytes[1] !== ASK) return undefined
  if (bytes.byteLength < MAX_OFFERS_REQUEST_BYTES) return 'incomplete'
  return { kind: 'ask', nonce: bytes.slice(2) }
}

/** A signed answer. Services that there is no room for are left out, the last ones first. */
export function encodeOffersAnswer(answer: OffersAnswer, context: OffersContext, key: KeyObject): Uint8Array {
  let services = answer.services.map(({ name, status, identity_group, model_facts }) => ({
    ...{ name, status, identity_group, model_facts },
  }))
  let json = jsonOf(answer.leaseMs, services)
  while (json.byteLength > MAX_JSON_BYTES) {
    services = services.slice(0, -1)
    json = jsonOf(answer.leaseMs, services)
  }
  const signature = signJson({ ...context, domain: DOMAIN }, json, key)
  const head = Buffer.from([VERSION, json.byteLength >> 8, json.byteLength & 0xff])
  return Uint8Array.from(Buffer.concat([head, json, signature]))
}

/**
 * The answer in `bytes` if `key` signed it for this request, less the names that no publisher may use. `'incomplete'`:
 * more bytes have to come. `undefined`: it is no answer, or not that peer's. Never throws.
 */
export function decodeOffersAnswer(
  bytes: Uint8Array,
  context: OffersContext,
  key: KeyObject,
): OffersAnswer | 'incomplete' | undefined {
  if (bytes.byteLength > MAX_OFFERS_ANSWER_BYTES) return undefined
  const reader = createByteReader(bytes)
  const version = reader.u8()
  if (!reader.hasFailed() && version !== VERSION) return undefined
  const length = reader.u16()
  if (!reader.hasFailed() && length > MAX_JSON_BYTES) return undefined
  const json = reader.take(length)
  const signature = reader.take(SIGNATURE_BYTES)
  if (reader.hasFailed()) return 'incomplete'
  if (!reader.isAtEnd() || !isSignedJson({ ...context, domain: DOMAIN }, json, { key, signature })) return undefined
  return parseAnswer(json)
}

function jsonOf(lease: number, services: readonly OfferedService[]): Buffer {
  return Buffer.from(JSON.stringify({ lease, services }), 'utf8')
}

/** The names are judged as those of a row. */
function parseAnswer(json: Uint8Array): OffersAnswer | undefined {
  const parsed = AnswerSchema.safeParse(parseJson(json))
  if (!parsed.success) return undefined
  return { leaseMs: parsed.data.lease, services: servicesAsSeen(parsed.data.services) }
}
