import { createHash, sign, verify } from 'node:crypto'
import type { PrivateKey } from '@libp2p/interface'
import { AppError } from '#shared/errors.js'
import { emptyPeerRecord, PeerSchema, ServiceSchema } from '#shared/records.js'
import type { PeerRecord } from '#shared/records.js'
import { createByteReader } from './bytes.js'
import { EPOCH_MS } from './epoch.js'
import type { LogicalTime } from './epoch.js'
import type { KeyRing } from './key-ring.js'
import { importPrivateKey } from './key-ring.js'
import { asSeen } from './seen-record.js'

/** The layout's version, the first byte of every envelope. */
const ENVELOPE_VERSION = 1

/** Bytes of one signed envelope, at most. */
export const MAX_ENVELOPE_BYTES = 4096

/** The longest lease a row may ask for. Half an epoch: a renewal always falls into the current or the next epoch. */
export const MAX_LEASE_MS = 12 * 60 * 60 * 1000

/** What a signature covers before the envelope's bytes, so that it can never be taken for a signature of something else. */
const SIGNATURE_DOMAIN = Buffer.from('ocf-table-envelope-v1\0', 'utf8')
const HEADER_BYTES = 1 + 32 + 4 + 4 + 4
const SIGNATURE_BYTES = 64
/** Seq may pass the end of its epoch by what a clock set back can cost, never by more. */
const MAX_SEQ = 2 * EPOCH_MS
const DEFAULT_PEER = emptyPeerRecord('')
const DEFAULT_SERVICE = ServiceSchema.parse({ name: '' })

/** An envelope taken apart, nothing in it verified yet but its form. */
export interface Envelope extends LogicalTime {
  /** Derived from the public key inside. */
  peerId: string
  publicKey: Uint8Array
  /** Milliseconds from its logical time on, for which the row counts; 0 in a withdrawal. */
  leaseMs: number
  /** The record's JSON; empty in a withdrawal. */
  json: Uint8Array
  /** The whole envelope as it came. */
  bytes: Uint8Array
}

/** What came of parsing: the envelope, or why not. A newer version is not misbehaviour; malformed bytes are. */
export type ParsedEnvelope =
  | { type: 'envelope'; envelope: Envelope }
  | { type: 'newer-version' }
  | { type: 'malformed' }

const MALFORMED: ParsedEnvelope = { type: 'malformed' }

/** Takes foreign bytes apart strictly. Keeps views into `bytes`. Never throws. */
export function parseEnvelope(bytes: Uint8Array, keys: KeyRing): ParsedEnvelope {
  if (bytes.byteLength > MAX_ENVELOPE_BYTES) return MALFORMED
  const reader = createByteReader(bytes)
  const version = reader.u8()
  if (!reader.hasFailed() && version > ENVELOPE_VERSION) return { type: 'newer-version' }
  const publicKey = reader.take(32)
  const epoch = reader.u32()
  const seq = reader.u32()
  const leaseMs = reader.u32()
  const json = reader.take(Math.max(0, bytes.byteLength - HEADER_BYTES - SIGNATURE_BYTES))
  reader.take(SIGNATURE_BYTES)
  if (reader.hasFailed() || version !== ENVELOPE_VERSION || seq > MAX_SEQ || leaseMs > MAX_LEASE_MS) return MALFORMED
  const isWithdrawal = leaseMs === 0
  if (isWithdrawal !== (json.byteLength === 0)) return MALFORMED
  const owner = keys.get(publicKey)
  if (owner === undefined) return MALFORMED
  return { type: 'envelope', envelope: { peerId: owner.peerId, publicKey, epoch, seq, leaseMs, json, bytes } }
}

/** Did the owner of the public key inside sign this envelope? Never throws. */
export function isSignedByOwner(envelope: Envelope, keys: KeyRing): boolean {
  const { bytes } = envelope
  const signed = Buffer.concat([SIGNATURE_DOMAIN, bytes.subarray(0, bytes.byteLength - SIGNATURE_BYTES)])
  const signature = bytes.subarray(bytes.byteLength - SIGNATURE_BYTES)
  try {
    const key = keys.get(envelope.publicKey)?.verifyKey()
    return key !== undefined && verify(null, signed, key, signature)
  } catch {
    return false // 32 bytes that OpenSSL does not take for a key sign nothing.
  }
}

/** The record of an envelope {@link asSeen}: `'withdrawn'`, or `undefined` when it is no record or not its owner's. */
export function recordOf(envelope: Envelope): PeerRecord | 'withdrawn' | undefined {
  if (envelope.leaseMs === 0) return 'withdrawn'
  const record = decodeRecord(envelope.json)
  return record?.id === envelope.peerId ? asSeen(record) : undefined
}

/** Signs this node's own rows. */
export interface EnvelopeSigner {
  /**
   * A signed envelope with this record, or a withdrawal for `undefined` (its lease is 0).
   * @throws AppError `invalid_request` when the record does not fit into 4 KB
   */
  sign(row: LogicalTime & { leaseMs: number; record: PeerRecord | undefined }): Uint8Array
}

/** A signer for an Ed25519 key of libp2p (`raw` is seed then public key). */
export function createEnvelopeSigner(privateKey: PrivateKey): EnvelopeSigner {
  const key = importPrivateKey(privateKey)
  const publicKey = privateKey.publicKey.raw

  return {
    sign({ epoch, seq, leaseMs, record }) {
      const json = Buffer.from(record === undefined ? '' : encodeRecord(record), 'utf8')
      const header = Buffer.alloc(HEADER_BYTES)
      header.writeUInt8(ENVELOPE_VERSION, 0)
      header.set(publicKey, 1)
      header.writeUInt32BE(epoch, 33)
      header.writeUInt32BE(seq, 37)
      header.writeUInt32BE(record === undefined ? 0 : leaseMs, 41)
      const payload = Buffer.concat([header, json])
      if (payload.byteLength + SIGNATURE_BYTES > MAX_ENVELOPE_BYTES) {
        throw new AppError(
          'invalid_request',
          `This node's record takes ${payload.byteLength + SIGNATURE_BYTES} bytes and the node table takes ${MAX_ENVELOPE_BYTES}. Offer fewer models or shorter names.`,
        )
      }
      const signature = sign(null, Buffer.concat([SIGNATURE_DOMAIN, payload]), key)
      return Uint8Array.from(Buffer.concat([payload, signature]))
    },
  }
}

/** The JSON that goes into an envelope: the record without the fields that {@link PeerSchema} fills in again. */
export function encodeRecord(record: PeerRecord): string {
  return JSON.stringify({
    ...withoutDefaults(record, DEFAULT_PEER),
    id: record.id,
    ...(record.service.length > 0 && {
      service: record.service.map((service) => ({ ...withoutDefaults(service, DEFAULT_SERVICE), name: service.name })),
    }),
  })
}

/** The record in an envelope's JSON, or `undefined` when it is no UTF-8, no JSON or not a peer's record. */
export function decodeRecord(json: Uint8Array): PeerRecord | undefined {
  const value = parseJson(json)
  const parsed = PeerSchema.safeParse(value)
  return parsed.success ? parsed.data : undefined
}

function parseJson(json: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json))
  } catch {
    return undefined // Foreign bytes: not being JSON is one of their expected forms.
  }
}

function withoutDefaults<T extends object>(value: T, defaults: T): Partial<T> {
  const kept = (Object.keys(value) as (keyof T)[]).filter(
    (key) => JSON.stringify(value[key]) !== JSON.stringify(defaults[key]),
  )
  return Object.fromEntries(kept.map((key) => [key, value[key]])) as Partial<T>
}

/** Bytes of a digest on the wire. */
export const DIGEST_BYTES = 16

/** A digest of a set of envelopes that does not depend on their order and changes with each one in O(1). */
export interface TableDigest {
  /** Adds an envelope that is not in, or takes out one that is. */
  toggle(envelope: Uint8Array): void
  bytes(): Uint8Array
}

/**
 * The digest of the empty set. It saves a sync where nothing differs and proves nothing: XOR of hashes can be forged by
 * whoever owns many rows, so now and then peers compare in full (see sync).
 */
export function createTableDigest(): TableDigest {
  const sum = new Uint8Array(DIGEST_BYTES)

  return {
    toggle(envelope) {
      const hash = createHash('sha256').update(envelope).digest()
      for (let index = 0; index < DIGEST_BYTES; index += 1) sum[index] = (sum[index] ?? 0) ^ (hash[index] ?? 0)
    },
    bytes: () => sum.slice(),
  }
}
