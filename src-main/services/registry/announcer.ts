import { emptyPeerRecord, type Hardware, type PeerRecord, type ServiceRecord } from '#shared/records.js'
import type { Service } from '../../base/lifecycle.js'
import type { Log } from '../../logging/index.js'
import type { NodeTable, OwnOffersSource } from '../../node-table/index.js'
import type { LocalService, ServiceRegistry } from '../index.js'
import { FACTS_BUDGET_BYTES, factsRecords } from './model-facts.js'
import { IDENTITY_GROUP_BUDGET_BYTES, OFFERS_BUDGET_BYTES, sizeOf } from './published-models.js'
import { LLM } from './registration.js'

/** What of this node stands in its row besides its services. */
export interface AnnouncedFacts {
  peerId: string
  version: string
  publicAddress: string
  /** Unix milliseconds. */
  nowMs: number
  hardware: Hardware
  /** The owner has paused sharing. Default false. */
  paused?: boolean
}

/**
 * This node's row of the node table: no path, host name or user name of this machine. `leftOut` counts identity groups
 * for which a row has no room.
 */
function ownRecord(services: readonly LocalService[], facts: AnnouncedFacts): { record: PeerRecord; leftOut: number } {
  const { records, leftOut } = toServiceRecords(services, facts.hardware, undefined, { paused: facts.paused })
  const record: PeerRecord = {
    ...emptyPeerRecord(facts.peerId),
    service: records,
    current_offering: facts.paused === true ? [] : records.map(({ name }) => name),
    role: records.length > 0 ? ['worker'] : ['client'],
    status: 'connected',
    last_seen: Math.floor(facts.nowMs / 1000),
    version: facts.version,
    public_address: facts.publicAddress,
    hardware: facts.hardware,
    connected: true,
  }
  return { record, leftOut }
}

/** A row that could not be published is tried again after this long. */
const RETRY_MS = 5_000

/** Keeps this node's row in step with its services, a pause and its GPUs. A clean stop withdraws the row first. */
export function createAnnouncer(needs: {
  registry: ServiceRegistry
  table: NodeTable
  facts: () => AnnouncedFacts
  /** What else changes the row besides the services: a pause, GPUs that became known. */
  alsoChangedBy?: readonly { subscribe(listener: () => void): () => void }[]
  log: Log
}): Service {
  const log = needs.log.forComponent('announcer')
  let unsubscribe: (() => void)[] = []
  let publishing: Promise<void> = Promise.resolve()
  let published = ''
  let wanted = false
  let retry: NodeJS.Timeout | undefined
  let stopping: Promise<void> | undefined

  function publish(): void {
    // One at a time; changes that come meanwhile are published together.
    if (wanted) return
    wanted = true
    publishing = publishing.then(publishNow)
  }

  async function publishNow(): Promise<void> {
    wanted = false
    clearTimeout(retry)
    const { record, leftOut } = ownRecord(needs.registry.sharedWith('stranger'), needs.facts())
    const offers = JSON.stringify([
      record.service.map(({ name, status, identity_group, model_facts }) => [
        name,
        status,
        identity_group,
        model_facts,
      ]),
      record.hardware.gpus.map(({ name, total_memory }) => [name, total_memory]),
    ])
    if (offers === published) return
    try {
      await needs.table.publish(record)
      published = offers
      if (leftOut > 0) log.warn('not every model fits into this node’s row; the rest is not shared', { leftOut })
    } catch (error) {
      log.error('this node could not announce its services; it will try again', { error, afterMs: RETRY_MS })
      if (stopping === undefined) retry = setTimeout(publish, RETRY_MS)
    }
  }

  async function stop(): Promise<void> {
    if (unsubscribe.length === 0) return
    for (const end of unsubscribe) end()
    await publishing
    clearTimeout(retry)
    await needs.table.withdraw()
  }

  return {
    name: 'announcer',
    async start() {
      const sources = [needs.registry, ...(needs.alsoChangedBy ?? [])]
      unsubscribe = sources.map((source) => source.subscribe(publish))
      publish()
      await publishing
    },
    stop() {
      stopping ??= stop()
      return stopping
    },
  }
}

/** What peers that the person trusts are told over a stream of their own: all that they may use. */
export function createOwnOffers(needs: {
  registry: Pick<ServiceRegistry, 'sharedWith' | 'subscribe'>
  pause: { readonly isPaused: boolean; subscribe(listener: () => void): () => void }
}): OwnOffersSource {
  const { registry, pause } = needs
  return {
    current() {
      const services = registry.sharedWith('trusted')
      const { records } = toServiceRecords(services, NO_HARDWARE, OFFERS_BUDGET_BYTES, { paused: pause.isPaused })
      return records.map(({ name, status, identity_group, model_facts }) => ({
        ...{ name, status, identity_group, model_facts },
      }))
    },
    subscribe(listener) {
      const stops = [registry.subscribe(listener), pause.subscribe(listener)]
      return () => stops.forEach((stop) => stop())
    },
  }
}

/** The models that any peer may use now, by their published names: none while sharing is paused. */
export function modelsForEveryone(needs: {
  registry: Pick<ServiceRegistry, 'sharedWith' | 'subscribe'>
  pause: { readonly isPaused: boolean; subscribe(listener: () => void): () => void }
}): { models(): readonly string[]; subscribe(listener: () => void): () => void } {
  const { registry, pause } = needs
  return {
    models() {
      if (pause.isPaused) return []
      const services = registry.sharedWith('stranger').filter((service) => service.name === LLM && isPublic(service))
      const entries = services.flatMap(({ identityGroups }) => identityGroups)
      return entries.flatMap((entry) =>
        entry.startsWith(MODEL) && entry !== ANY_MODEL ? [entry.slice(MODEL.length)] : [],
      )
    },
    subscribe(listener) {
      const stops = [registry.subscribe(listener), pause.subscribe(listener)]
      return () => stops.forEach((stop) => stop())
    },
  }
}

const MODEL = 'model='
const ANY_MODEL = 'model=*'

const NO_HARDWARE: Hardware = { gpus: [], host_memory: 0, host_memory_bandwidth: 0, host_memory_used: 0 }

/**
 * These services as a row of the node table tells them: published and connected ones only. All of their
 * identity groups together stay within the room of a row; what does not fit is counted in `leftOut`, never sent. Facts of
 * models take what room is left.
 */
export function toServiceRecords(
  services: readonly LocalService[],
  hardware: ServiceRecord['hardware'],
  budgetBytes: number = IDENTITY_GROUP_BUDGET_BYTES,
  options: { paused?: boolean } = {},
): { records: ServiceRecord[]; leftOut: number } {
  let room = budgetBytes
  let leftOut = 0
  const named = services.filter(isPublic).map((service) => {
    const groups = service.identityGroups.filter((entry) => {
      const size = sizeOf([entry])
      if (size > room) {
        leftOut += 1
        return false
      }
      room -= size
      return true
    })
    return { service, groups }
  })
  let factsRoom = Math.min(room, FACTS_BUDGET_BYTES)
  const records = named.map(({ service, groups }): ServiceRecord => {
    const { name, host, port } = service
    const facts = factsRecords(service, groups, factsRoom)
    factsRoom -= facts.bytes
    // Only what is `connected` is routed to; the entries stay, so that the network knows what is merely paused.
    const status = options.paused === true ? 'paused' : service.status
    const record = { name, hardware, status, host, port: String(port), identity_group: groups }
    return facts.records.length === 0 ? record : { ...record, model_facts: facts.records }
  })
  return { records, leftOut }
}

function isPublic(service: LocalService): boolean {
  return service.published && service.status === 'connected'
}
