import type { PathKind } from '#shared/contract/peers.js'
import type { Host } from '../index.js'
import { preferDirect } from './dial-order.js'

/** How peers are connected, cheap enough to ask for every request. */
export interface PathLookup {
  /** The kind of the connection new streams to that peer take; null while there is none. */
  pathTo(peerId: string): PathKind | null
}

/** Reads the connections of a started host again only after one opened or closed. */
export function createPathLookup(host: Host): PathLookup {
  const paths = new Map<string, PathKind>()
  let watched: Host['libp2p'] | undefined
  let stale = true
  const expire = (): void => {
    stale = true
  }

  function refresh(): void {
    stale = false
    paths.clear()
    for (const [peerId, open] of Map.groupBy(host.connections(), ({ peerId: id }) => id)) {
      const best = preferDirect(open, ({ path }) => path === 'relayed')
      if (best !== undefined) paths.set(peerId, best.path)
    }
  }

  return {
    pathTo(peerId) {
      if (watched !== host.libp2p) {
        watched = host.libp2p
        watched.addEventListener('connection:open', expire)
        watched.addEventListener('connection:close', expire)
        stale = true
      }
      if (stale) refresh()
      return paths.get(peerId) ?? null
    },
  }
}
