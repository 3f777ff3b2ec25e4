import { join } from 'node:path'
import { peerIdFromString } from '@libp2p/peer-id'
import { AppError } from '#shared/errors.js'
import type { Clock, MonotonicClock } from '../base/clock.js'
import { within } from '../base/within.js'
import { SETTINGS } from '../config/index.js'
import type { Log } from '../logging/index.js'
import { bestConnection, hostOf, scopeOf, sourceOfHost } from '../p2p/index.js'
import type { Host } from '../p2p/index.js'
import { createGossipBudget } from './budget/gossip-budget.js'
import { createProviderFinder } from './find/provider-finder.js'
import type { TableReader } from './find/provider-finder.js'
import { createProviderRecords } from './find/provider-records.js'
import { OfferBook } from './offers/offer-book.js'
import { OfferExchange } from './offers/offer-exchange.js'
import { createClockWatch } from './replicate/clock-watch.js'
import { createTableDocuments } from './replicate/documents.js'
import { createTableReplica } from './replicate/replica.js'
import { createSenderLimits } from './replicate/sender-limits.js'
import { startTableNetwork } from './replicate/table-network.js'
import type { TableNetwork } from './replicate/table-network.js'
import { createVerifier } from './replicate/verifier.js'
import { createPeerStatus } from './status/peer-status.js'
import { createProver } from './status/prover.js'
import { IDLE_STATUS } from './status/status-responder.js'
import type { OwnStatusSource } from './status/status-responder.js'
import { openTableStore } from './store/persistence.js'
import { createStoreFolder } from './store/store-folder.js'
import { createTableView } from './view/view.js'
import { createKeyRing } from './wire/key-ring.js'
import type { NodeTable, OwnOffersSource, Trust } from './index.js'

/** How the table behaves. */
export interface NodeTableOptions {
  /** The node's data folder; the table is in `table` below it. */
  dataDir: string
  /** The shortest lease of the own row, in ms; it grows with the table. */
  leaseMs: number
  /** Bytes a second that keeping the table may cost this node; the setting's default unless given. */
  budgetBytesPerS?: number
  /** Whether lookups may ask the DHT. Default `auto`. */
  reader?: TableReader
  /** Live rows from which on `auto` asks the DHT. Default 128. */
  fullReplicaRows?: number
  /** Rows the table holds, at most. Default 20,000. */
  maxRows?: number
  /** About how often tables are compared with two peers at random, in ms. Default one minute. */
  syncEveryMs?: number
  /** This program's version, told to peers that ask for a status. */
  version?: string
}

const NOBODY: Trust = { isTrusted: () => false, subscribe: () => () => undefined }
const NOTHING: OwnOffersSource = { current: () => [], subscribe: () => () => undefined }

/** How long a withdrawal may take: a clean stop must not wait for others. */
const WITHDRAW_WITHIN_MS = 500
const WITHDRAW_TO_PEERS = 3

/** What a node table stands on. */
export interface NodeTableNeeds {
  /** Must be started before the table is. */
  host: Host
  log: Log
  clock: Clock
  monotonic: MonotonicClock
  /** How busy this node is; absent: idle. */
  ownStatus?: OwnStatusSource
  /** Whom the person trusts, and what they are offered; absent: nobody, nothing. */
  trust?: Trust
  ownOffers?: OwnOffersSource
}

/** The node table over a host. */
export function createNodeTable(needs: NodeTableNeeds, options: NodeTableOptions): NodeTable {
  const { host, clock, monotonic } = needs
  const log = needs.log.forComponent('node-table')
  const keys = createKeyRing()
  const view = createTableView({ clock, monotonic, log }, { selfId: host.peerId, maxRows: options.maxRows })
  const documents = createTableDocuments({ view, log })
  const verifier = createVerifier({ view, documents, keys, clock, monotonic, log }, { selfId: host.peerId })
  const limits = createSenderLimits({ monotonic, log })
  const budgetBytesPerS = options.budgetBytesPerS ?? SETTINGS['table.background-budget'].default
  const budget = createGossipBudget({ monotonic, rows: () => view.size }, { budgetBytesPerS })
  const isPartial = (): boolean => budget.isPartial
  const clockWatch = createClockWatch({ clock, monotonic, log, sourceOf: (peerId) => sourceOfPeer(host, peerId) })
  const records = createProviderRecords({ host, offers: view.offers, isPartial, monotonic, log })
  const asker = createPeerStatus({
    ...{ host, view, verifier, keys, monotonic, clockWatch, log },
    onStale: (peerId) => running?.sync.request(peerId),
  })
  const finder = createProviderFinder(
    { view, records, asker, monotonic, isPartial },
    { selfId: host.peerId, reader: options.reader ?? 'auto', fullReplicaRows: options.fullReplicaRows },
  )
  const isOnline = (): boolean => host.libp2p.getConnections().length > 0
  const prover = createProver({ view, status: asker, monotonic, isOnline, isPartial })
  const book = new OfferBook({ monotonic })
  const offers = new OfferExchange({
    ...{ host, book, limits, keys, monotonic, log },
    trust: needs.trust ?? NOBODY,
    own: needs.ownOffers ?? NOTHING,
  })
  let running: TableNetwork | undefined
  let stopping: Promise<void> | undefined

  function mustRun(): TableNetwork {
    if (running === undefined) throw new AppError('node_not_running', 'The node table is not running.')
    return running
  }

  return {
    name: 'node-table',
    async start(signal) {
      signal.throwIfAborted()
      const storeFolder = createStoreFolder({ log, clock }, join(options.dataDir, 'table'))
      const store = await openTableStore({ log, storeFolder })
      const replica = createTableReplica({ view, documents, verifier, store, clock, log })
      try {
        await replica.load()
        signal.throwIfAborted()
      } catch (error) {
        await replica.close()
        throw error
      }
      running = await startTableNetwork(
        {
          ...{ host, view, documents, verifier, replica, limits, budget, clockWatch, records },
          ...{ clock, monotonic, log },
          ownStatus: needs.ownStatus ?? IDLE_STATUS,
        },
        {
          leaseMs: options.leaseMs,
          budgetBytesPerS,
          roundEveryMs: options.syncEveryMs,
          version: options.version ?? '',
        },
      )
      await offers.start()
    },
    stop() {
      prover.stop()
      stopping ??= Promise.all([asker.stop(), offers.stop(), running?.stop()]).then(() => {
        running = undefined
      })
      return stopping
    },
    publish: (record) => mustRun().ownRow.publish(record),
    async withdraw() {
      const { ownRow, sync } = mustRun()
      await ownRow.withdraw()
      // Gossip tells nobody whether it arrived; a sync does.
      await within(sync.withRandomPeers(WITHDRAW_TO_PEERS), WITHDRAW_WITHIN_MS, () => undefined)
    },
    get: (peerId) => view.get(peerId),
    rows: () => view.rows(),
    get size() {
      return view.size
    },
    providers: (service, entry) => view.offers.providers(service, entry),
    findProviders: (service, entry, found) => finder.find(service, entry, found),
    entries: (service) => view.offers.entries(service),
    subscribe: (listener) => view.subscribe(listener),
    status: asker,
    offers: {
      of: (peerId) => book.of(peerId),
      providers: (service, entry) => book.providers(service, entry),
      subscribe: (listener) => book.subscribe(listener),
      ask: (peerId) => offers.ask(peerId),
    },
    health: () => ({
      clockAheadMs: clockWatch.aheadMs() ?? null,
      isClockWrong: clockWatch.isWrong(),
      leaseMs: running?.ownRow.leaseMs() ?? options.leaseMs,
      isUsedElsewhere: running?.identityWatch.isElsewhere ?? false,
      isFull: view.isFull,
      bannedPeers: limits.banned(),
      reader: finder.reader(),
    }),
  }
}

/** Where a peer is connected from: its address, or its relay's. On this machine each peer is a source. */
function sourceOfPeer(host: Host, peerId: string): string {
  const address = bestConnection(host.libp2p.getConnections(peerIdFromString(peerId)))?.remoteAddr.toString()
  const ip = address === undefined ? undefined : hostOf(address)
  return ip === undefined || scopeOf(ip) === 'loopback' ? peerId : sourceOfHost(ip)
}
