import type { Host } from '../index.js'
import { hostOf, relayOf } from './ip-scope.js'

/** Milliseconds of the fastest connection's last ping to a peer (see `round-trips.ts`); undefined before the first. */
export function roundTripMs(host: Host, peerId: string): number | undefined {
  const times = host.connectionsTo(peerId).flatMap(({ rtt }) => (rtt === undefined ? [] : [rtt]))
  return times.length === 0 ? undefined : Math.min(...times)
}

/** The IP addresses (or host names) a connected peer talks to us from; empty when it is relayed or gone. */
export function remoteIps(host: Host, peerId: string): string[] {
  return host.connectionsTo(peerId).flatMap(({ remoteAddr }) => {
    const text = remoteAddr.toString()
    return relayOf(text) === undefined ? [hostOf(text)] : []
  })
}
