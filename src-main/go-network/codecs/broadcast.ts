import { type Cid, cidBytes, readCid } from './cid.js'
import { bytesField, bytesOf, concat, decoded, fieldsOf, ProtobufError } from './protobuf.js'

/** Where the newest blocks are named, as each node of the Go network knows them. */
export const HEADS_TOPIC = 'ocf-crdt'
/** Where each node of the Go network says every 20 s that it is there. */
export const LIVENESS_TOPIC = 'ocf-crdt-net'
/** What it says there. */
export const PING = new TextEncoder().encode('ping')

/** Blocks that one message names and that are read. */
const MAX_HEADS = 1_024

/** A message of {@link HEADS_TOPIC} that names these blocks. */
export function encodeBroadcast(heads: readonly Cid[]): Uint8Array {
  return concat(heads.map((cid) => bytesField(1, bytesField(1, cidBytes(cid)))))
}

/** The blocks that such a message names; undefined for anything else. Never throws. */
export function decodeBroadcast(message: Uint8Array): Cid[] | undefined {
  return decoded(() => {
    const heads: Cid[] = []
    for (const head of fieldsOf(message)) {
      if (head.number !== 1) continue
      for (const field of fieldsOf(bytesOf(head))) {
        const cid = field.number === 1 ? readCid(bytesOf(field)) : undefined
        if (cid !== undefined) heads.push(cid)
      }
      if (heads.length > MAX_HEADS) throw new ProtobufError('more heads than anyone has')
    }
    return heads.length === 0 ? undefined : heads
  })
}
