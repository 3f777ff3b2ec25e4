import { z } from 'zod'
import { emptyPeerRecord, type PeerRecord } from '#shared/records.js'

/** The Go program writes `null` for an empty list. */
const list = <T extends z.ZodType>(item: T, max: number) =>
  z.preprocess((value) => value ?? [], z.array(item).max(max)) as unknown as z.ZodType<z.output<T>[]>

const ServiceSchema = z.object({
  name: z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/),
  identity_group: list(z.string().max(512), 512),
})

/** What is read of a row; all of it is its writer's word, and any peer of the Go network may have written it. */
const RowSchema = z.object({
  id: z.string().max(128),
  status: z.string().max(32).default(''),
  connected: z.boolean().default(false),
  /** Where it may be reached if not directly. */
  relay_peer: z.string().max(128).default(''),
  last_seen: z.number().nonnegative().catch(0).default(0),
  version: z.string().max(64).catch('').default(''),
  service: list(ServiceSchema, 32),
})

/** A row of the Go network's node table. */
export type GoRow = z.output<typeof RowSchema>

/** Characters of all that one provider of the Go network offers; the rest is left out. */
const MAX_OFFERED_CHARS = 16 * 1024

/** Reads a row that stands under this key; undefined for what is none, or is said of another peer than the key's. */
export function readGoRow(key: string, json: string): GoRow | undefined {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    return undefined
  }
  const parsed = RowSchema.safeParse(value)
  return parsed.success && key === `/${parsed.data.id}` ? parsed.data : undefined
}

/** Whether it offers anything now. */
export const isOffering = ({ status, service }: GoRow): boolean =>
  status !== 'left' && service.some(({ identity_group: entries }) => entries.length > 0)

/** The row in the form of this node's own table, with no more than is used of it. */
export function recordOf({ id, service, last_seen: lastSeen, version }: GoRow): PeerRecord {
  let room = MAX_OFFERED_CHARS
  const services = service.map(({ name, identity_group: entries }) => ({
    name,
    identity_group: entries.filter((entry) => {
      room -= entry.length
      return room >= 0
    }),
  }))
  const empty = emptyPeerRecord(id)
  return {
    ...empty,
    role: ['worker'],
    status: 'connected',
    last_seen: Math.floor(lastSeen),
    version,
    current_offering: services.map(({ name }) => name),
    service: services.map((offered) => ({
      ...offered,
      hardware: empty.hardware,
      // Routing in the Go network does not look at a service's status, host or port.
      ...{ status: 'connected', host: '', port: '' },
    })),
  }
}
