import type { AttemptRequest, AttemptResult, AttemptTarget } from './attempt.js'
import type { Exchange } from './exchange.js'
import { relaySockets } from './relay-sockets.js'
import { acceptedHeaders } from './websocket.js'

/** How a try ended, its WebSocket included. */
export type TryResult = Exclude<AttemptResult, { kind: 'upgraded' }>

/** Joins the client of an accepted handshake with the provider, until the WebSocket is over. Never rejects. */
export async function relayUpgraded(
  exchange: Exchange,
  { socket: server, headers, timing }: AttemptResult & { kind: 'upgraded' },
  about: Pick<AttemptRequest, 'idleTimeoutMs' | 'onData' | 'addOwnHeaders' | 'whyBrokenOff'> &
    Pick<AttemptTarget, 'policy'>,
): Promise<TryResult> {
  const answer = acceptedHeaders(headers, about.policy)
  about.addOwnHeaders(answer, timing)
  const client = exchange.reply.switchProtocols(answer)
  if (client === undefined) {
    server.destroy()
    return { kind: 'client-gone' }
  }
  exchange.traffic.update({ status: 101 })
  const end = await relaySockets({ client, server }, { idleMs: about.idleTimeoutMs, onServerData: about.onData })
  exchange.traffic.addBytes(end.clientBytes, end.serverBytes)
  if (end.by === 'idle') exchange.traffic.update({ error: 'upstream_timeout', cancelledBy: 'node' })
  if (end.broken && end.by === 'client') return { kind: 'client-gone' }
  if (end.broken) {
    const why = await about.whyBrokenOff?.()
    return { kind: 'cut', reason: why ?? 'connection lost', explained: why !== undefined, status: 101, timing }
  }
  return { kind: 'relayed', status: 101, timing }
}
