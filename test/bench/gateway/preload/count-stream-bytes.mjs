import { AbstractMessageStream } from '@libp2p/utils'

// Counts what a node writes to and reads from streams of HTTP, before framing and encryption, and tells when asked.
const PROTOCOL = '/libp2p-http'
const counted = { sent: 0, received: 0 }
const { send, onData } = AbstractMessageStream.prototype

AbstractMessageStream.prototype.send = function (data) {
  if (this.protocol === PROTOCOL) counted.sent += data.byteLength
  return send.call(this, data)
}
AbstractMessageStream.prototype.onData = function (data) {
  if (this.protocol === PROTOCOL) counted.received += data.byteLength
  return onData.call(this, data)
}
process.on('message', () => process.send({ ...counted }))
// The question must not keep a node alive that wants to end.
process.channel.unref()
