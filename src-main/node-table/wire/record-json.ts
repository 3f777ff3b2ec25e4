import { emptyPeerRecord, PeerSchema, ServiceSchema } from '#shared/records.js'
import type { PeerRecord } from '#shared/records.js'

const DEFAULT_PEER = emptyPeerRecord('')
const DEFAULT_SERVICE = ServiceSchema.parse({ name: '' })

/** The JSON that goes into an envelope: the record without the fields that {@link PeerSchema} fills in again. */
export function encodeRecord(record: PeerRecord): string {
  return JSON.stringify({
    ...withoutDefaults(record, DEFAULT_PEER),
    id: record.id,
    ...(record.service.length > 0 && {
      service: record.service.map((service) => ({ ...withoutDefaults(service, DEFAULT_SERVICE), name: service.name })),
    }),
  })
}

/** The record in an envelope's JSON, or `undefined` when it is no UTF-8, no JSON or not a peer's record. */
export function decodeRecord(json: Uint8Array): PeerRecord | undefined {
  const value = parseJson(json)
  const parsed = PeerSchema.safeParse(value)
  return parsed.success ? parsed.data : undefined
}

function parseJson(json: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(json))
  } catch {
    return undefined // Foreign bytes: not being JSON is one of their expected forms.
  }
}

function withoutDefaults<T extends object>(value: T, defaults: T): Partial<T> {
  const kept = (Object.keys(value) as (keyof T)[]).filter(
    (key) => JSON.stringify(value[key]) !== JSON.stringify(defaults[key]),
  )
  return Object.fromEntries(kept.map((key) => [key, value[key]])) as Partial<T>
}
