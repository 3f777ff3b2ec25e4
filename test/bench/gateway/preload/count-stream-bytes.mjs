// Counts what a node writes to and reads from streams of HTTP, before framing and encryption, and tells when asked.
const PROTOCOL = '/libp2p-http'
const counted = { sent: 0, received: 0 }
const { addEventListener } = EventTarget.prototype
const known = new WeakSet()

// The class of libp2p's streams is a part of the built program: the first connection that is listened to leads to it.
EventTarget.prototype.addEventListener = function (...args) {
  const prototype = ownerOf('onData', this)
  if (prototype !== undefined && !known.has(prototype)) countIn(prototype)
  addEventListener.apply(this, args)
}

/** The object among those an object inherits from that has the method itself. */
function ownerOf(method, object) {
  let owner = object
  while (owner !== null && !Object.hasOwn(owner, method)) owner = Object.getPrototypeOf(owner)
  return owner ?? undefined
}

function countIn(prototype) {
  known.add(prototype)
  const { send, onData } = prototype
  prototype.send = function (data) {
    if (this.protocol === PROTOCOL) counted.sent += data.byteLength
    return send.call(this, data)
  }
  prototype.onData = function (data) {
    if (this.protocol === PROTOCOL) counted.received += data.byteLength
    return onData.call(this, data)
  }
}

process.on('message', () => process.send({ ...counted }))
// The question must not keep a node alive that wants to end.
process.channel.unref()
