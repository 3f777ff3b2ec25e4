import type { FactsRecord } from '#shared/model-facts.js'
import { isPublishable, UNSEEN } from '#shared/model-names.js'
import type { PeerRecord } from '#shared/records.js'

/** Entries of all services that count in one row: a server publishes 200 models at most, in 3 KB. */
export const MAX_ENTRIES_PER_ROW = 256

const MODEL = 'model='

/**
 * A record as this node sees it: less the names that no publisher may use, and less what is beyond
 * {@link MAX_ENTRIES_PER_ROW}. The signed envelope stays as it is, for others to judge.
 */
export function asSeen(record: PeerRecord): PeerRecord {
  return { ...record, service: servicesAsSeen(record.service) }
}

interface Told {
  name: string
  identity_group: string[]
  model_facts?: FactsRecord[] | undefined
}

/** Services of one peer as this node sees them, however they were told. */
export function servicesAsSeen<T extends Told>(told: readonly T[]): T[] {
  let left = MAX_ENTRIES_PER_ROW
  const services: T[] = []
  for (const service of told) {
    if (UNSEEN.test(service.name)) continue
    const entries = service.identity_group.filter(isAllowed).slice(0, left)
    left -= entries.length
    const facts = service.model_facts?.filter(({ model }) => entries.includes(`${MODEL}${model}`))
    const isWhole = entries.length === service.identity_group.length && facts?.length === service.model_facts?.length
    if (isWhole) services.push(service)
    else if (entries.length > 0 || service.identity_group.length === 0) {
      services.push({ ...service, identity_group: entries, ...(facts && { model_facts: facts }) })
    }
  }
  return services
}

function isAllowed(entry: string): boolean {
  if (!entry.startsWith(MODEL)) return entry !== '' && !UNSEEN.test(entry)
  const id = entry.slice(MODEL.length)
  return id === '*' || isPublishable(id)
}
