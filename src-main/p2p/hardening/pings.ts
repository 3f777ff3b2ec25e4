import type { Stream, StreamMessageEvent } from '@libp2p/interface'
import { ping, type Ping, type PingComponents } from '@libp2p/ping'
import { override } from '../reach/override.js'

/** Several at a time come from peers that measure at the same moment for different reasons. */
const MAX_STREAMS = 32
/** Of answers that the other side has not read; an honest one waits for each before it asks again. */
const MAX_UNREAD_BYTES = 4096
/** A stream without a ping for so long is closed. */
const IDLE_MS = 60_000

/**
 * The library's service with another way to answer. Its own takes in whatever comes for ten seconds, without
 * back-pressure, while its answers wait for a peer that does not read.
 */
export function pings(): (components: PingComponents) => Ping {
  return (components) => {
    const { registrar } = components
    const handle: typeof registrar.handle = (protocol, _handler, options) => registrar.handle(protocol, answer, options)
    return ping({ maxInboundStreams: MAX_STREAMS, maxOutboundStreams: 256, runOnLimitedConnection: true })(
      override(components, { registrar: override(registrar, { handle }) }),
    )
  }
}

function answer(stream: Stream): void {
  const timer = setTimeout(() => stream.abort(new Error('no ping for a while')), IDLE_MS).unref()
  stream.addEventListener('message', ({ data }: StreamMessageEvent) => {
    timer.refresh()
    if (stream.writeStatus !== 'writable') return
    stream.send(data)
    if (stream.writeBufferLength > MAX_UNREAD_BYTES) stream.abort(new Error('its pings are not read'))
  })
  stream.addEventListener('close', () => clearTimeout(timer))
  stream.addEventListener('remoteCloseWrite', () => {
    stream.close({ signal: AbortSignal.timeout(IDLE_MS) }).catch((error: unknown) => {
      stream.abort(error instanceof Error ? error : new Error('the stream of pings could not be closed'))
    })
  })
}
