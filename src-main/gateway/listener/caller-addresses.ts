import type { IncomingHttpHeaders } from 'node:http'

/**
 * Where a request at the local door may come from: whoever is connected, and whom a reverse proxy on the way names. What
 * is told there can be invented, so only the farthest may count (`bootstrap-addresses.ts`): it takes away and gives
 * nothing. What is no IP address, such as everything in `Forwarded`, stands for far away.
 */
export function callerAddresses(remoteAddress: string, headers: IncomingHttpHeaders): string[] {
  const named = ['x-forwarded-for', 'x-real-ip', 'forwarded'].flatMap((name) => headers[name] ?? [])
  return [remoteAddress, ...named.flatMap((list) => list.split(',').map((entry) => entry.trim()))]
}
