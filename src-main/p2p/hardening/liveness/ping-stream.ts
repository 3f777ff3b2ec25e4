import type { Connection, Stream } from '@libp2p/interface'

/** Every node has this protocol, and answers it on relayed connections too. */
const PING_PROTOCOL = '/ipfs/ping/1.0.0'

/** A stream for pings; that it opens is a sign of life already. Rejects when it does not before `signal` aborts. */
export function openPing(connection: Connection, signal: AbortSignal): Promise<Stream> {
  return connection.newStream(PING_PROTOCOL, { signal, runOnLimitedConnection: true })
}

/** Opens one and closes it again: true when the other end answered in time. */
export async function answersPing(connection: Connection, withinMs: number): Promise<boolean> {
  try {
    const stream = await openPing(connection, AbortSignal.timeout(withinMs))
    stream.abort(new Error('only its opening was of interest'))
    return true
  } catch {
    return false // No answer, or a refusal that leaves the connection useless all the same.
  }
}
