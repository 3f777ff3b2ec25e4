import { isPublishable, UNSEEN } from '#shared/model-names.js'
import type { PeerRecord, ServiceRecord } from '#shared/records.js'

/** Entries of all services that count in one row: a server publishes 200 models at most, in 3 KB. */
export const MAX_ENTRIES_PER_ROW = 256

const MODEL = 'model='

/**
 * A record as this node sees it: less the names that no publisher may use, and less what is beyond
 * {@link MAX_ENTRIES_PER_ROW}. The signed envelope stays as it is, for others to judge.
 */
export function asSeen(record: PeerRecord): PeerRecord {
  let left = MAX_ENTRIES_PER_ROW
  const services: ServiceRecord[] = []
  for (const service of record.service) {
    if (UNSEEN.test(service.name)) continue
    const entries = service.identity_group.filter(isAllowed).slice(0, left)
    left -= entries.length
    if (entries.length === service.identity_group.length) services.push(service)
    else if (entries.length > 0) services.push({ ...service, identity_group: entries })
  }
  return { ...record, service: services }
}

function isAllowed(entry: string): boolean {
  if (!entry.startsWith(MODEL)) return entry !== '' && !UNSEEN.test(entry)
  const id = entry.slice(MODEL.length)
  return id === '*' || isPublishable(id)
}
