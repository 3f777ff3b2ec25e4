// Counts what a node writes to and reads from streams of HTTP, before framing and encryption, and tells when asked.
import { Duplex } from 'node:stream'

/** What a stream to a peer says in place of IPv4 or IPv6. */
const FAMILY = 'libp2p'
const counted = { sent: 0, received: 0 }
const { push, write } = Duplex.prototype

Duplex.prototype.push = function (chunk, ...rest) {
  if (this.remoteFamily === FAMILY && chunk !== null) counted.received += chunk.byteLength
  return push.call(this, chunk, ...rest)
}
Duplex.prototype.write = function (chunk, ...rest) {
  if (this.remoteFamily === FAMILY) counted.sent += Buffer.byteLength(chunk)
  return write.call(this, chunk, ...rest)
}

process.on('message', () => process.send({ ...counted }))
// The question must not keep a node alive that wants to end.
process.channel.unref()
