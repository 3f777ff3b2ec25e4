// For @libp2p/ping 3.1.13: it takes in whatever comes for ten seconds, without back-pressure, while its answers wait.
// Goes when it bounds what it has not sent.

import type { Connection, Stream, StreamMessageEvent } from '@libp2p/interface'
import { ping, type Ping, type PingComponents } from '@libp2p/ping'
import { patientTimeout } from '../../../base/patient-timeout.js'
import type { Log } from '../../../logging/index.js'
import { override } from '../../reach/override.js'

/** Every node has this protocol, and answers it on relayed connections too. */
const PING_PROTOCOL = '/ipfs/ping/1.0.0'

/** A stream for pings; that it opens is an answer already. Rejects when it does not before `signal` aborts. */
export function openPing(connection: Connection, signal: AbortSignal): Promise<Stream> {
  return connection.newStream(PING_PROTOCOL, { signal, runOnLimitedConnection: true })
}

/** Opens one and closes it again: true when the other end answered in time. */
export async function answersPing(connection: Connection, withinMs: number): Promise<boolean> {
  const late = new AbortController()
  const inTime = patientTimeout(() => late.abort(new Error('no answer in time')), withinMs)
  try {
    const stream = await openPing(connection, late.signal)
    stream.abort(new Error('only its opening was of interest'))
    return true
  } catch {
    return false // No answer, or a refusal that leaves the connection useless all the same.
  } finally {
    inTime()
  }
}

/** A live peer answers within this, even through a relay; the routine check would take minutes to notice a dead one. */
const ANSWER_MS = 5_000
const MAX_PARALLEL = 32

/**
 * Pings every connection and drops those that do not answer: while the computer slept, peers and routers
 * forgot it. What depends on connections notices and connects again. Resolves to how many were dropped.
 */
export async function dropDeadConnections(
  needs: { libp2p: { getConnections(): Connection[] }; log: Log },
  options: { answerMs?: number } = {},
): Promise<number> {
  const waiting = needs.libp2p.getConnections().filter(({ status }) => status === 'open')
  let dropped = 0
  async function work(): Promise<void> {
    for (let connection = waiting.pop(); connection !== undefined; connection = waiting.pop()) {
      if (await answersPing(connection, options.answerMs ?? ANSWER_MS)) continue
      connection.abort(new Error('it did not answer after the computer woke up'))
      dropped += 1
    }
  }
  await Promise.all(Array.from({ length: MAX_PARALLEL }, work))
  needs.log.info('checked the connections after waking up', { dropped })
  return dropped
}

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
