import type { Connection } from '@libp2p/interface'
import type { Log } from '../../logging/index.js'
import { answersPing } from '../hardening/liveness/ping-stream.js'

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
