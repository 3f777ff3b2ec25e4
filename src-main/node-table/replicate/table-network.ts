import type { Connection } from '@libp2p/interface'
import type { Clock, MonotonicClock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'
import type { Host } from '../../p2p/index.js'
import type { GossipBudget } from '../budget/gossip-budget.js'
import type { ProviderRecords } from '../find/provider-records.js'
import { createStatusResponder } from '../status/status-responder.js'
import type { OwnStatusSource } from '../status/status-responder.js'
import type { TableView } from '../view/view.js'
import { createEnvelopeSigner } from '../wire/envelope.js'
import { MAX_CLOCK_SKEW_MS } from '../wire/epoch.js'
import { importPrivateKey } from '../wire/key-ring.js'
import type { ClockWatch } from './clock-watch.js'
import type { TableDocuments } from './documents.js'
import { createTableGossip } from './gossip.js'
import { IdentityWatch } from './identity-watch.js'
import { createOwnRow } from './own-row.js'
import type { OwnRow } from './own-row.js'
import { createRebroadcast } from './rebroadcast.js'
import type { TableReplica } from './replica.js'
import type { SenderLimits } from './sender-limits.js'
import { createTableSync } from './sync.js'
import type { TableSync } from './sync.js'
import type { Verifier } from './verifier.js'

/** What of the table exists only between start and stop. */
export interface TableNetwork {
  ownRow: OwnRow
  sync: TableSync
  identityWatch: IdentityWatch
  stop(): Promise<void>
}

const TICK_MS = 1000
const MAINTAIN_EVERY_TICKS = 60

/** Gossip, syncs, statuses, the own row, and the one timer that drives them; closes the replica when it ends. */
export async function startTableNetwork(
  needs: {
    host: Host
    view: TableView
    documents: TableDocuments
    verifier: Verifier
    replica: TableReplica
    limits: SenderLimits
    budget: GossipBudget
    clockWatch: ClockWatch
    records: ProviderRecords
    ownStatus: OwnStatusSource
    clock: Clock
    monotonic: MonotonicClock
    log: Log
  },
  options: { leaseMs: number; budgetBytesPerS: number; roundEveryMs: number | undefined; version: string },
): Promise<TableNetwork> {
  const { host, view, documents, verifier, replica, limits, budget, clockWatch, records, clock, monotonic, log } = needs
  const isPartial = (): boolean => budget.isPartial
  const { peerId, libp2p } = host
  const { budgetBytesPerS } = options
  const gossip = createTableGossip({ pubsub: host.pubsub, view, verifier, limits, budget, log })
  const sync = createTableSync(
    { libp2p, view, documents, verifier, limits, clock, monotonic, clockWatch, isPartial, log },
    { roundEveryMs: options.roundEveryMs, budgetBytesPerS },
  )
  const ownRow = createOwnRow(
    {
      ...{ view, verifier, clock, monotonic, log },
      signer: createEnvelopeSigner(host.identity.privateKey),
      send: (row) => rebroadcast.announce(row),
      latestMs: () => clockWatch.latestMs(),
      isPartial,
    },
    { peerId, leaseMs: options.leaseMs, budgetBytesPerS },
  )
  const identityWatch = new IdentityWatch({ clock, monotonic, log })
  const rebroadcast = createRebroadcast({ gossip, sync, ownRow, view, isPartial, monotonic, log }, { peerId })
  verifier.onProof((proof) => rebroadcast.passOnProof(proof))
  const responder = createStatusResponder(
    {
      ...{ libp2p, limits, clock, log },
      own: needs.ownStatus,
      ownEntry: () => view.entry(peerId),
      key: importPrivateKey(host.identity.privateKey),
    },
    { version: options.version },
  )
  view.onAccepted((entry, source) => {
    if (entry.peerId !== peerId) return
    if (source === 'self') records.offer(entry.record)
    else if (source !== 'disk' && ownRow.seen(entry)) identityWatch.seen(entry)
  })
  const onConnection = ({ detail }: CustomEvent<Connection>): void =>
    view.verified(detail.remotePeer.toString(), detail.remoteAddr.toString())

  let ticks = 0
  let lastMs = clock.now()
  let maintenance = Promise.resolve()

  function maintain(rebuildAll: boolean): void {
    maintenance = maintenance
      .then(() => replica.maintain({ rebuildAll }))
      .catch((error: unknown) => log.error('tidying up the node table failed', { error }))
  }

  const timer = setInterval(() => {
    ticks += 1
    const now = clock.now()
    // The clock was set, or the machine slept: what is known is old, and what peers said of the clock is void.
    if (Math.abs(now - lastMs - TICK_MS) > MAX_CLOCK_SKEW_MS) {
      clockWatch.forget()
      sync.hurry()
      ownRow.hurry()
    }
    lastMs = now
    const wereEarly = view.sweep(clockWatch.latestMs())
    sync.tick()
    records.tick()
    ownRow.tick().catch((error: unknown) => log.error('renewing the own row failed', { error }))
    if (wereEarly || ticks % MAINTAIN_EVERY_TICKS === 0) maintain(wereEarly)
  }, TICK_MS)

  async function stop(): Promise<void> {
    clearInterval(timer)
    libp2p.removeEventListener('connection:open', onConnection)
    rebroadcast.stop()
    gossip.stop()
    await Promise.all([sync.stop(), responder.stop(), records.stop()])
    await maintenance
    await replica.close()
  }

  try {
    libp2p.addEventListener('connection:open', onConnection)
    for (const connection of libp2p.getConnections()) {
      view.verified(connection.remotePeer.toString(), connection.remoteAddr.toString())
    }
    gossip.start()
    await Promise.all([sync.start(), responder.start()])
    return { ownRow, sync, identityWatch, stop }
  } catch (error) {
    await stop()
    throw error
  }
}
