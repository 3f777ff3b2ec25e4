import { createHash } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { Uint8ArrayList } from 'uint8arraylist'
import { z } from 'zod'
import type { PeerRecord } from '#shared/records.js'
import { createByteReader } from './bytes.js'
import { MAX_ENVELOPE_BYTES } from './envelope.js'
import { isSignedJson, parseJson, signJson } from './signed-json.js'

/** The stream protocol by which a peer is asked how it is doing. */
export const STATUS_PROTOCOL = '/ocf/status/1.0.0'

/** What a peer answers when it is asked how it is doing. */
export interface StatusAnswer {
  /** Requests it would take at once; null where it sets no limit. */
  slotsTotal: number | null
  /** Of those, how many are free; null where it sets no limit. */
  slotsFree: number | null
  /** Requests that wait or run there. */
  queueLength: number
  /** Why it takes no requests at the moment; null while it takes them. */
  paused: string | null
  /** {@link offersHash} of its row: another than that of the row we have means that ours is out of date. */
  offers: string
  version: string
  /** Unix milliseconds there. */
  timeMs: number
}

/** A request for a status: `nonce` binds the answer to it. */
export interface StatusRequest {
  nonce: Uint8Array
  /** The answer shall bring the peer's signed row as well. */
  wantsRow: boolean
}

const VERSION = 1
const NONCE_BYTES = 16
const SIGNATURE_BYTES = 64
const MAX_JSON_BYTES = 1024
const DOMAIN = 'ocf-status-v1\0'
const LENGTH_BYTES = 2

/** Bytes of a request: version, nonce, whether the row is wanted. */
export const STATUS_REQUEST_BYTES = 1 + NONCE_BYTES + 1

/** Bytes of an answer, at most. */
export const MAX_STATUS_ANSWER_BYTES = 1 + 2 * LENGTH_BYTES + MAX_JSON_BYTES + SIGNATURE_BYTES + MAX_ENVELOPE_BYTES

const count = z.number().int().min(0).max(1_000_000)
const AnswerSchema = z.object({
  total: count.nullable().default(null),
  free: count.nullable().default(null),
  queue: count.default(0),
  paused: z.string().max(128).nullable().default(null),
  offers: z.string().max(64),
  version: z.string().max(64).default(''),
  time: z.number().int().nonnegative(),
})

/** The request as bytes. */
export function encodeStatusRequest({ nonce, wantsRow }: StatusRequest): Uint8Array {
  return Uint8Array.from([VERSION, ...nonce, wantsRow ? 1 : 0])
}

/** The request in `bytes`; `undefined` for anything else. Never throws. */
export function decodeStatusRequest(bytes: Uint8Array): StatusRequest | undefined {
  if (bytes.byteLength !== STATUS_REQUEST_BYTES || bytes[0] !== VERSION) return undefined
  return { nonce: bytes.subarray(1, 1 + NONCE_BYTES), wantsRow: bytes[1 + NONCE_BYTES] === 1 }
}

/** Who asked whom what: an answer is good for this only. */
export interface StatusContext {
  nonce: Uint8Array
  /** Peer id of the one who asks. */
  asker: string
}

/** A signed answer; `row` is the answerer's envelope, which carries its own signature. */
export function encodeStatusAnswer(
  answer: StatusAnswer,
  context: StatusContext,
  key: KeyObject,
  row: Uint8Array | undefined,
): Uint8Array {
  const json = Buffer.from(
    JSON.stringify({
      total: answer.slotsTotal ?? undefined,
      free: answer.slotsFree ?? undefined,
      queue: answer.queueLength,
      paused: answer.paused?.slice(0, 128),
      offers: answer.offers,
      version: answer.version.slice(0, 64),
      time: answer.timeMs,
    }),
    'utf8',
  )
  const signature = signJson({ ...context, domain: DOMAIN }, json, key)
  const length = (bytes: number): Buffer => Buffer.from([bytes >> 8, bytes & 0xff])
  const envelope = row ?? new Uint8Array(0)
  return Uint8Array.from(
    Buffer.concat([
      Buffer.from([VERSION]),
      length(json.byteLength),
      json,
      signature,
      length(envelope.byteLength),
      envelope,
    ]),
  )
}

/**
 * The answer in `bytes` if `key` signed it for this request. `'incomplete'`: more bytes have to come. `undefined`: it is
 * no answer, or not that peer's. Never throws.
 */
export function decodeStatusAnswer(
  bytes: Uint8Array,
  context: StatusContext,
  key: KeyObject,
): { status: StatusAnswer; row: Uint8Array | undefined } | 'incomplete' | undefined {
  const parts = splitStatusAnswer(bytes)
  if (typeof parts !== 'object') return parts
  if (!isSignedJson({ ...context, domain: DOMAIN }, parts.json, { key, signature: parts.signature })) return undefined
  const status = parseStatus(parts.json)
  return status === undefined ? undefined : { status, row: parts.row.byteLength === 0 ? undefined : parts.row }
}

/** An answer's parts, as views into `bytes`, not verified; `'incomplete'` and `undefined` as above. Never throws. */
export function splitStatusAnswer(
  bytes: Uint8Array,
): { json: Uint8Array; signature: Uint8Array; row: Uint8Array } | 'incomplete' | undefined {
  if (bytes.byteLength > MAX_STATUS_ANSWER_BYTES) return undefined
  const reader = createByteReader(bytes)
  const version = reader.u8()
  if (!reader.hasFailed() && version !== VERSION) return undefined
  const jsonLength = reader.u16()
  if (!reader.hasFailed() && jsonLength > MAX_JSON_BYTES) return undefined
  const json = reader.take(jsonLength)
  const signature = reader.take(SIGNATURE_BYTES)
  const rowLength = reader.u16()
  if (!reader.hasFailed() && rowLength > MAX_ENVELOPE_BYTES) return undefined
  const row = reader.take(rowLength)
  if (reader.hasFailed()) return 'incomplete'
  return reader.isAtEnd() ? { json, signature, row } : undefined
}

/** The status in an answer's JSON; `undefined` for anything else. Never throws. */
export function parseStatus(json: Uint8Array): StatusAnswer | undefined {
  const parsed = AnswerSchema.safeParse(parseJson(json))
  if (!parsed.success) return undefined
  const { total, free, queue, paused, offers, version, time } = parsed.data
  return { slotsTotal: total, slotsFree: free, queueLength: queue, paused, offers, version, timeMs: time }
}

/** What a row offers, in 16 hex digits; the same for equal offers in any order, and for no row as for an empty one. */
export function offersHash(record: PeerRecord | undefined): string {
  const offers = (record?.service ?? [])
    .filter(({ status }) => status === 'connected')
    .flatMap(({ name, identity_group }) => identity_group.map((entry) => `${name}\n${entry}`))
    .sort()
  return createHash('sha256').update(JSON.stringify(offers)).digest('hex').slice(0, 16)
}

/**
 * Reads a short message from a stream: `take` gets what has come so far and says `undefined` while more has to come.
 * Resolves `undefined` when the stream ends first or more than `maxBytes` come. Never rejects.
 */
export function readShort<T>(
  stream: Stream,
  maxBytes: number,
  take: (bytes: Uint8Array) => T | undefined,
): Promise<T | undefined> {
  return new Promise((resolve) => {
    const received = new Uint8ArrayList()
    const settle = (value: T | undefined): void => {
      stream.removeEventListener('message', onMessage)
      stream.removeEventListener('end', onEnd)
      stream.removeEventListener('close', onEnd)
      resolve(value)
    }
    const onMessage = ({ data }: StreamMessageEvent): void => {
      received.append(data)
      if (received.byteLength > maxBytes) {
        settle(undefined)
        return
      }
      const value = take(received.subarray())
      if (value !== undefined) settle(value)
    }
    const onEnd = (): void => settle(undefined)
    stream.addEventListener('message', onMessage)
    stream.addEventListener('end', onEnd)
    stream.addEventListener('close', onEnd)
    if (stream.status !== 'open') onEnd()
  })
}
