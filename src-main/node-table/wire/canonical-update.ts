import { createHash } from 'node:crypto'
import * as encoding from 'lib0/encoding'
import { createByteReader } from './bytes.js'
import type { ByteReader } from './bytes.js'
import { MAX_ENVELOPE_BYTES } from './envelope.js'
import type { LogicalTime } from './epoch.js'

/** Rows a table holds, at most; a full replica is the wrong tool above about 10,000 peers. */
export const MAX_ROWS = 20_000

/** The name of the Y.Map in every document: peer id → envelope. */
export const ROWS_KEY = 'nodes'

/** What the document of an epoch holds of a row. */
export interface CanonicalEntry extends LogicalTime {
  peerId: string
  /** {@link clientIdOf} of peer id and epoch. */
  clientId: number
  /** The signed envelope. */
  bytes: Uint8Array
}

const CONTENT_DELETED = 1
const CONTENT_BINARY = 3
const HAS_KEY = 0x20
const HAS_RIGHT_ORIGIN = 0x40
const HAS_ORIGIN = 0x80
const CONTENT_MASK = 0x1f
const MAX_KEY_BYTES = 128
/** A stock Yjs document may hold a row in pieces; more than this is nobody's honest encoding. */
const MAX_STRUCTS_PER_CLIENT = 4

/** The Yjs client id under which a peer's row of an epoch stands: 53 bits of a SHA-256, the same at every node. */
export function clientIdOf(peerId: string, epoch: number): number {
  const digest = createHash('sha256').update(`nt1|${epoch}|${peerId}`).digest()
  return Number(digest.readBigUInt64BE(0) >> 11n)
}

/**
 * The one Yjs update (v1) that says just this, byte for byte the same at every node: per entry, clients in descending
 * order, a deleted run over the clocks before `seq` and the envelope at clock `seq`. The client ids must differ.
 */
export function canonicalUpdate(entries: Iterable<CanonicalEntry>): Uint8Array {
  const sorted = [...entries].sort((a, b) => b.clientId - a.clientId)
  const out = encoding.createEncoder()
  encoding.writeVarUint(out, sorted.length)
  for (const { clientId, peerId, seq, bytes } of sorted) {
    encoding.writeVarUint(out, seq > 0 ? 2 : 1)
    encoding.writeVarUint(out, clientId)
    encoding.writeVarUint(out, 0)
    if (seq > 0) {
      encoding.writeUint8(out, CONTENT_DELETED | HAS_KEY)
      writeParent(out, peerId)
      encoding.writeVarUint(out, seq)
      encoding.writeUint8(out, CONTENT_BINARY | HAS_ORIGIN | HAS_KEY)
      encoding.writeVarUint(out, clientId)
      encoding.writeVarUint(out, seq - 1)
    } else {
      encoding.writeUint8(out, CONTENT_BINARY | HAS_KEY)
      writeParent(out, peerId)
    }
    encoding.writeVarUint8Array(out, bytes)
  }
  encoding.writeVarUint(out, 0)
  return encoding.toUint8Array(out)
}

/**
 * The envelopes in a foreign Yjs update (v1), as views into it, unverified. Everything else an update can say (ids,
 * origins, delete sets) is read over, never used; a struct that no table writes makes the whole update `undefined`.
 * Never throws.
 */
export function extractEnvelopes(update: Uint8Array, maxBytes: number): Uint8Array[] | undefined {
  if (update.byteLength > maxBytes) return undefined
  const reader = createByteReader(update)
  const found: Uint8Array[] = []
  const clients = reader.varUint()
  if (clients > MAX_ROWS * 2) return undefined
  for (let client = 0; client < clients && !reader.hasFailed(); client += 1) {
    const structs = reader.varUint()
    if (structs < 1 || structs > MAX_STRUCTS_PER_CLIENT) return undefined
    reader.varUint() // client id
    reader.varUint() // clock
    for (let struct = 0; struct < structs && !reader.hasFailed(); struct += 1) readStruct(reader, found)
  }
  return reader.hasFailed() ? undefined : found
}

function readStruct(reader: ByteReader, found: Uint8Array[]): void {
  const info = reader.u8()
  const content = info & CONTENT_MASK
  if ((info & HAS_RIGHT_ORIGIN) !== 0) {
    reader.fail()
  } else if ((info & HAS_ORIGIN) !== 0) {
    reader.varUint() // origin: client id
    reader.varUint() // origin: clock
  } else {
    if (reader.varUint() !== 1) reader.fail() // a parent that is no root type
    if (readText(reader) !== ROWS_KEY) reader.fail()
    if ((info & HAS_KEY) === 0) reader.fail() // a list item
    readText(reader) // the key: the peer id is derived from the envelope instead
  }
  if (content === CONTENT_DELETED) {
    reader.varUint()
  } else if (content === CONTENT_BINARY) {
    const envelope = reader.take(reader.varUint())
    if (envelope.byteLength > MAX_ENVELOPE_BYTES) reader.fail()
    found.push(envelope)
  } else {
    reader.fail()
  }
}

function readText(reader: ByteReader): string {
  const length = reader.varUint()
  if (length > MAX_KEY_BYTES) reader.fail()
  return Buffer.from(reader.take(reader.hasFailed() ? 0 : length)).toString('latin1')
}

function writeParent(out: encoding.Encoder, peerId: string): void {
  encoding.writeVarUint(out, 1)
  encoding.writeVarString(out, ROWS_KEY)
  encoding.writeVarString(out, peerId)
}
