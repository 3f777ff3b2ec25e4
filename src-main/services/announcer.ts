import { emptyPeerRecord, type Hardware, type PeerRecord } from '#shared/records.js'
import type { Service } from '../lifecycle.js'
import type { Log } from '../logging/index.js'
import type { NodeTable } from '../node-table/index.js'
import type { LocalService, ServiceRegistry } from './index.js'
import { toServiceRecords } from './service-records.js'

/** What of this node stands in its row besides its services. */
export interface AnnouncedFacts {
  peerId: string
  version: string
  publicAddress: string
  /** Unix milliseconds. */
  nowMs: number
  hardware: Hardware
}

/** This node's row of the node table: no path, host name or user name of this machine. */
export function ownRecord(services: readonly LocalService[], facts: AnnouncedFacts): PeerRecord {
  const { records } = toServiceRecords(services, facts.hardware)
  return {
    ...emptyPeerRecord(facts.peerId),
    service: records,
    current_offering: records.map(({ name }) => name),
    role: records.length > 0 ? ['worker'] : ['client'],
    status: 'connected',
    last_seen: Math.floor(facts.nowMs / 1000),
    version: facts.version,
    public_address: facts.publicAddress,
    hardware: facts.hardware,
    connected: true,
  }
}

/** Keeps this node's row in step with its services: nothing else changes it. A clean stop withdraws the row first. */
export function createAnnouncer(needs: {
  registry: ServiceRegistry
  table: NodeTable
  facts: () => AnnouncedFacts
  log: Log
}): Service {
  const log = needs.log.forComponent('announcer')
  let unsubscribe: (() => void) | undefined
  let publishing: Promise<void> = Promise.resolve()
  let published = ''
  let wanted = false
  let stopping: Promise<void> | undefined

  function publish(): void {
    // One at a time; changes that come meanwhile are published together.
    if (wanted) return
    wanted = true
    publishing = publishing.then(async () => {
      wanted = false
      const record = ownRecord(needs.registry.list(), needs.facts())
      const offers = JSON.stringify(record.service.map(({ name, identity_group }) => [name, identity_group]))
      if (offers === published) return
      try {
        await needs.table.publish(record)
        published = offers
      } catch (error) {
        log.error('this node could not announce its services', { error })
      }
    })
  }

  async function stop(): Promise<void> {
    if (unsubscribe === undefined) return
    unsubscribe()
    await publishing
    await needs.table.withdraw()
  }

  return {
    name: 'announcer',
    async start() {
      unsubscribe = needs.registry.subscribe(publish)
      publish()
      await publishing
    },
    stop() {
      stopping ??= stop()
      return stopping
    },
  }
}
