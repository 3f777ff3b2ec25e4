import { join } from 'node:path'
import { AppError } from '#shared/errors.js'
import type { Clock } from '../clock.js'
import type { Log } from '../logging/index.js'
import type { Host } from '../p2p/index.js'
import { createTableCarrier } from './carrier.js'
import type { TableCarrier } from './carrier.js'
import { createEnvelopeSigner } from './envelope.js'
import { createTableGossip } from './gossip.js'
import type { NodeTable } from './index.js'
import { createKeyRing } from './key-ring.js'
import { createOwnRow } from './own-row.js'
import type { OwnRow } from './own-row.js'
import { openTableStore } from './persistence.js'
import { createRepeater } from './repeater.js'
import { createSenderLimits } from './sender-limits.js'
import { createStoreFolder } from './store-folder.js'
import { createTableSync } from './sync.js'
import type { TableSync } from './sync.js'
import { createTableView } from './view.js'
import type { TableView } from './view.js'

/** How the table behaves. */
export interface NodeTableOptions {
  /** The node's data folder; the table is in `table` below it. */
  dataDir: string
  /** The shortest lease of the own row, in ms; it grows with the table. */
  leaseMs: number
  /** Rows the table holds, at most. Default 20,000. */
  maxRows?: number
  /** About how often tables are compared with two peers at random, in ms. Default one minute. */
  syncEveryMs?: number
}

const TICK_MS = 1000
const MAINTAIN_EVERY_TICKS = 60
/** How long a withdrawal may take: a clean stop must not wait for others. */
const WITHDRAW_WITHIN_MS = 500
const WITHDRAW_TO_PEERS = 3

/** What exists only between start and stop. */
interface Running {
  ownRow: OwnRow
  sync: TableSync
  stop(): Promise<void>
}

/** The node table over a host, which must be started before the table is. */
export function createNodeTable(needs: { host: Host; log: Log; clock: Clock }, options: NodeTableOptions): NodeTable {
  const { host, clock } = needs
  const log = needs.log.forComponent('node-table')
  const view = createTableView({ clock, keys: createKeyRing(), log }, { selfId: host.peerId, maxRows: options.maxRows })
  let running: Running | undefined
  let stopping: Promise<void> | undefined

  function mustRun(): Running {
    if (running === undefined) throw new AppError('node_not_running', 'The node table is not running.')
    return running
  }

  return {
    name: 'node-table',
    async start(signal) {
      signal.throwIfAborted()
      const storeFolder = createStoreFolder({ log, clock }, join(options.dataDir, 'table'))
      const store = await openTableStore({ log, storeFolder })
      const carrier = createTableCarrier({ view, store, clock, log })
      try {
        await carrier.load()
        signal.throwIfAborted()
      } catch (error) {
        await carrier.close()
        throw error
      }
      running = await startNetwork({ host, view, carrier, clock, log }, options)
    },
    stop() {
      stopping ??= running?.stop().finally(() => (running = undefined))
      return stopping ?? Promise.resolve()
    },
    publish: (record) => mustRun().ownRow.publish(record),
    async withdraw() {
      const { ownRow, sync } = mustRun()
      await ownRow.withdraw()
      // Gossip tells nobody whether it arrived; a sync does.
      await Promise.race([sync.withRandomPeers(WITHDRAW_TO_PEERS), within(WITHDRAW_WITHIN_MS)])
    },
    get: (peerId) => view.get(peerId),
    rows: () => view.rows(),
    get size() {
      return view.size
    },
    providers: (service, entry) => view.offers.providers(service, entry),
    entries: (service) => view.offers.entries(service),
    subscribe: (listener) => view.subscribe(listener),
  }
}

/** Gossip, syncs, the own row, and the one timer that drives them; closes the carrier when it stops or can't start. */
async function startNetwork(
  needs: { host: Host; view: TableView; carrier: TableCarrier; clock: Clock; log: Log },
  options: NodeTableOptions,
): Promise<Running> {
  const { host, view, carrier, clock, log } = needs
  const { peerId } = host
  const limits = createSenderLimits({ clock, log })
  const gossip = createTableGossip({ pubsub: host.pubsub, view, limits, log })
  const sync = createTableSync({ libp2p: host.libp2p, view, limits, clock, log }, { roundEveryMs: options.syncEveryMs })
  const ownRow = createOwnRow(
    { view, signer: createEnvelopeSigner(host.identity.privateKey), clock, log, send: (row) => repeater.announce(row) },
    { peerId, leaseMs: options.leaseMs },
  )
  const repeater = createRepeater({ gossip, sync, ownRow, log }, { peerId })
  view.onAccepted((entry, source) => {
    if (entry.peerId === peerId && source !== 'self' && source !== 'disk') ownRow.seen(entry)
  })

  let ticks = 0
  let maintenance = Promise.resolve()
  const timer = setInterval(() => {
    ticks += 1
    view.sweep()
    sync.tick()
    ownRow.tick().catch((error: unknown) => log.error('renewing the own row failed', { error }))
    if (ticks % MAINTAIN_EVERY_TICKS !== 0) return
    maintenance = maintenance
      .then(() => carrier.maintain())
      .catch((error: unknown) => log.error('tidying up the node table failed', { error }))
  }, TICK_MS)

  async function stop(): Promise<void> {
    clearInterval(timer)
    repeater.stop()
    gossip.stop()
    await sync.stop()
    await maintenance
    await carrier.close()
  }

  try {
    gossip.start()
    await sync.start()
    return { ownRow, sync, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

function within(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms).unref())
}
