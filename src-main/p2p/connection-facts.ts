import type { Host } from './index.js'

/** Milliseconds of the fastest connection's last ping to a peer (see `round-trips.ts`); undefined before the first. */
export function roundTripMs(host: Host, peerId: string): number | undefined {
  const times = connectionsTo(host, peerId).flatMap(({ rtt }) => (rtt === undefined ? [] : [rtt]))
  return times.length === 0 ? undefined : Math.min(...times)
}

/** The IP address (or host name) a connected peer talks to us from; undefined when it is relayed or gone. */
export function remoteIp(host: Host, peerId: string): string | undefined {
  for (const { remoteAddr } of connectionsTo(host, peerId)) {
    const parts = remoteAddr.toString().split('/')
    if (!parts.includes('p2p-circuit')) return parts[2]
  }
  return undefined
}

function connectionsTo(host: Host, peerId: string) {
  return host.libp2p.getConnections().filter(({ remotePeer }) => remotePeer.toString() === peerId)
}
