import type { Connection, Stream } from '@libp2p/interface'
import type { Log } from '../../../logging/index.js'

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

/** A live peer answers within this, even through a relay; the routine check would take minutes to notice a dead one. */
const ANSWER_MS = 5_000
const MAX_PARALLEL = 32

/**
 * Asks every connection for a sign of life and drops those that give none: while the computer slept, peers and routers
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
      connection.abort(new Error('it gave no sign of life after the computer woke up'))
      dropped += 1
    }
  }
  await Promise.all(Array.from({ length: MAX_PARALLEL }, work))
  needs.log.info('checked the connections after waking up', { dropped })
  return dropped
}
