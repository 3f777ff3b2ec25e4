import type { Duplex } from 'node:stream'

/** How two connected sockets came to their end. */
export interface RelayEnd {
  /** Who ended it: one side by closing or dying, or nobody said a byte for too long. */
  by: 'client' | 'server' | 'idle'
  /** True when that side broke its connection instead of closing it. */
  broken: boolean
  /** Bytes of the client and of the server. */
  clientBytes: number
  serverBytes: number
}

/** After one side's end, how long the other may still take to read what is on its way. */
const LAST_WORDS_MS = 2_000

/**
 * Passes bytes both ways, unread and with back-pressure, until both connections are closed. A WebSocket that lost one
 * direction is over, so the end of one side is the end of the other. No byte either way for `idleMs` (0: any time) cuts
 * both. Never rejects.
 */
export function relaySockets(
  { client, server }: { client: Duplex; server: Duplex },
  options: { idleMs: number; onServerData?: () => void },
): Promise<RelayEnd> {
  return new Promise((resolve) => {
    const counts = { client: 0, server: 0 }
    let end: Pick<RelayEnd, 'by' | 'broken'> | undefined
    let lastWords: NodeJS.Timeout | undefined
    let lastByteAt = performance.now()
    const idle = options.idleMs === 0 ? undefined : setInterval(cutIfIdle, options.idleMs / 4).unref()
    let open = 2

    function cutIfIdle(): void {
      if (performance.now() - lastByteAt < options.idleMs) return
      end ??= { by: 'idle', broken: false }
      client.destroy()
      server.destroy()
    }

    function ended(by: 'client' | 'server', broken: boolean): void {
      end ??= { by, broken }
      const other = by === 'client' ? server : client
      if (broken && by === 'client') other.destroy()
      else other.end()
      lastWords ??= setTimeout(() => {
        client.destroy()
        server.destroy()
      }, LAST_WORDS_MS).unref()
    }

    function closed(): void {
      open -= 1
      if (open > 0) return
      clearInterval(idle)
      clearTimeout(lastWords)
      resolve({ by: 'client', broken: true, ...end, clientBytes: counts.client, serverBytes: counts.server })
    }

    function follow(side: 'client' | 'server', from: Duplex, to: Duplex): void {
      from.on('data', (chunk: Buffer) => {
        counts[side] += chunk.length
        lastByteAt = performance.now()
        if (side === 'server') options.onServerData?.()
        if (to.writable && !to.write(chunk)) from.pause()
      })
      to.on('drain', () => from.resume())
      from.once('end', () => ended(side, false))
      from.once('error', () => ended(side, true))
      from.once('close', () => {
        ended(side, end === undefined)
        closed()
      })
      from.resume()
    }

    if (client.destroyed || server.destroyed) {
      const wasGone = client.destroyed ? 'client' : 'server'
      clearInterval(idle)
      client.destroy()
      server.destroy()
      resolve({ by: wasGone, broken: true, clientBytes: 0, serverBytes: 0 })
      return
    }
    follow('client', client, server)
    follow('server', server, client)
  })
}
