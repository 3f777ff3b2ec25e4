// For @libp2p/kad-dht 16.4.5: it parses messages of 4 MiB with any number of peers and addresses, from anyone, as often
// as they come. Goes when messages and what is in them are bounded before they are parsed.

import { PeerBudget } from '../stream-bounds/peer-budget.js'
import type { StreamRule } from '../stream-bounds/stream-rules.js'

/** Fields of the DHT's protobuf messages. */
const CLOSER = 8
const PROVIDERS = 9
const ADDRESS = 2

/** Twenty peers of each kind with as many addresses as the peer store keeps fit in. */
const MAX_MESSAGE_BYTES = 64 * 1024
/** Of a question: the sender itself, who may be on a machine with many networks. */
const QUESTION = { peers: 4, addresses: 256 }
/** Of an answer: the peers closest to the key, and providers. */
const ANSWER = { peers: 64, addresses: 64 * 32 }

/** What peers may send in the DHT of `protocol`. */
export function kadRule(protocol: string): StreamRule {
  return {
    protocols: [protocol],
    maxFrameBytes: MAX_MESSAGE_BYTES,
    // A node of many models publishes 512 records at once: a lookup and a message for each, in a small network all to the
    // same peer, and again when the network has doubled.
    messages: new PeerBudget({ capacity: 2000, refillPerS: 20 }),
    overspent: 8,
    accepts(frame, isAnswer) {
      const most = isAnswer ? ANSWER : QUESTION
      const held = countPeers(frame)
      return held !== undefined && held.peers <= most.peers && held.addresses <= most.addresses
    },
  }
}

/** How many peers and addresses are in a message, without parsing any; undefined for what is no message. */
export function countPeers(frame: Uint8Array): { peers: number; addresses: number } | undefined {
  const counts = { peers: 0, addresses: 0 }
  const isWhole = eachField(frame, (field, value) => {
    if (field !== CLOSER && field !== PROVIDERS) return true
    counts.peers += 1
    return eachField(value, (inner) => {
      if (inner === ADDRESS) counts.addresses += 1
      return true
    })
  })
  return isWhole ? counts : undefined
}

/** Calls `visit` for each field of a protobuf message; false when it is none, or `visit` said so. */
function eachField(bytes: Uint8Array, visit: (field: number, value: Uint8Array) => boolean): boolean {
  let at = 0
  function varint(): number {
    let value = 0
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = bytes[at]
      if (byte === undefined) return Number.NaN
      at += 1
      value += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return value
    }
    return Number.NaN
  }
  while (at < bytes.byteLength) {
    const tag = varint()
    const start = at
    // Of the kinds of fields, the DHT has numbers and bytes; the two of a fixed size are left out by any reader.
    const kind = tag % 8
    if (kind === 0) varint()
    else if (kind === 1) at += 8
    else if (kind === 5) at += 4
    else if (kind === 2) {
      const length = varint()
      const value = bytes.subarray(at, at + length)
      at += length
      if (!visit(Math.floor(tag / 8), value)) return false
    } else return false
    if (Number.isNaN(at) || at <= start || at > bytes.byteLength) return false
  }
  return at === bytes.byteLength
}
