import { z } from 'zod'
import { ask } from '../../http-client/index.js'
import type { PeerClients } from '../../p2p/index.js'
import { type GoRow, readGoRow } from './go-row.js'
import { RowScanner } from './row-scanner.js'

/** Bytes of one peer's table that are read: some 20,000 rows. */
const MAX_TABLE_BYTES = 16 * 1024 * 1024
/** Bytes of a list of peers with their addresses. */
const MAX_PEERS_BYTES = 1024 * 1024
const TABLE_WITHIN_MS = 30_000
const SHORT_WITHIN_MS = 10_000

/** What came of reading a table. */
export interface TableRead {
  bytes: number
  /** How many objects stood in it, rows or not. */
  rows: number
}

/** What is asked at the peer listeners of the Go network's nodes. */
export class GoPeers {
  readonly #clients: Pick<PeerClients, 'to'>

  constructor(needs: { clients: Pick<PeerClients, 'to'> }) {
    this.#clients = needs.clients
  }

  /**
   * Reads a peer's node table row by row; `onRow` says whether that is enough. Rejects where the peer does not answer it in
   * time, or with something else.
   */
  readTable(peerId: string, stopping: AbortSignal, onRow: (row: GoRow) => 'enough' | undefined): Promise<TableRead> {
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(TABLE_WITHIN_MS)])
    return new Promise((resolve, reject) => {
      const read: TableRead = { bytes: 0, rows: 0 }
      let isEnough = false
      const scanner = new RowScanner((key, json) => {
        if (isEnough) return
        read.rows += 1
        const row = readGoRow(key, json)
        if (row !== undefined) isEnough = onRow(row) === 'enough'
      })
      const giveUp = (): Error => new Error('no table in time', { cause: signal.reason })
      if (signal.aborted) {
        reject(giveUp())
        return
      }
      let abort: (error: Error) => void = reject
      const onAbort = (): void => abort(giveUp())
      signal.addEventListener('abort', onAbort, { once: true })
      const end = (): void => {
        signal.removeEventListener('abort', onAbort)
        resolve(read)
      }
      this.#clients.to(peerId).send(
        { method: 'GET', path: '/v1/dnt/table', headers: { host: peerId }, body: null, idleTimeoutMs: SHORT_WITHIN_MS },
        {
          onStart(exchange) {
            abort = (error) => exchange.abort(error)
            if (signal.aborted) onAbort()
          },
          onUpgrade: (_headers, socket) => socket.destroy(),
          onHead(status) {
            if (status !== 200) throw new Error(`its table answered ${status}`)
          },
          onData(piece) {
            read.bytes += piece.byteLength
            scanner.push(piece)
            if (!isEnough && read.bytes < MAX_TABLE_BYTES) return
            end()
            abort(new Error('enough was read'))
          },
          onEnd: end,
          onError(error) {
            signal.removeEventListener('abort', onAbort)
            reject(error)
          },
        },
      )
    })
  }

  /** The row that a peer has of itself; undefined where it has none. Rejects as {@link GoPeers.readTable}. */
  async ownRow(peerId: string, stopping: AbortSignal): Promise<GoRow | undefined> {
    let own: GoRow | undefined
    await this.readTable(peerId, stopping, (row) => {
      if (row.id !== peerId) return undefined
      own = row
      return 'enough'
    })
    return own
  }

  /** Where the peers that a node is connected to are, as it says; of the `wanted` alone. Rejects where it does not answer. */
  async addresses(
    peerId: string,
    stopping: AbortSignal,
    wanted: ReadonlySet<string>,
  ): Promise<Map<string, readonly string[]>> {
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(SHORT_WITHIN_MS)])
    const asked = { host: peerId, path: '/v1/dnt/peers', maxBytes: MAX_PEERS_BYTES, signal }
    const { status, text } = await ask(this.#clients.to(peerId), asked)
    if (status !== 200) throw new Error(`its peers answered ${status}`)
    const { peers } = PeersSchema.parse(JSON.parse(text))
    return new Map(peers.flatMap(({ ID, Addrs }) => (wanted.has(ID) ? [[ID, Addrs.slice(0, MAX_ADDRESSES)]] : [])))
  }

  /** Resolves when the peer answers that it is there; rejects where it does not in time. */
  async isThere(peerId: string, stopping: AbortSignal): Promise<void> {
    const signal = AbortSignal.any([stopping, AbortSignal.timeout(SHORT_WITHIN_MS / 2)])
    await ask(this.#clients.to(peerId), { host: peerId, path: '/v1/health', maxBytes: 4096, signal })
  }
}

/** Addresses of one peer that are tried. */
const MAX_ADDRESSES = 16

const PeersSchema = z.object({
  peers: z.preprocess(
    (value) => value ?? [],
    z.array(z.object({ ID: z.string(), Addrs: z.preprocess((value) => value ?? [], z.array(z.string().max(256))) })),
  ) as unknown as z.ZodType<{ ID: string; Addrs: string[] }[]>,
})
