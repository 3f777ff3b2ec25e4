import { z } from 'zod'
import { FactsRecordsSchema } from './model-facts.js'

/**
 * The JSON of the node table. Field names and types are those of the Go implementation, which writes `null` for empty
 * lists; unknown fields are dropped. Limits keep a row inside its 4 KB envelope and a hostile one cheap.
 */
const list = <T extends z.ZodType>(item: T, max: number) =>
  z.preprocess((value) => value ?? [], z.array(item).max(max)) as unknown as z.ZodType<z.output<T>[]>

const text = (max: number) => z.string().max(max)

/** One GPU of a peer; memory in MiB. */
const GpuSchema = z.object({
  name: text(128),
  /** MiB */
  total_memory: z.number().nonnegative(),
  /** MiB */
  used_memory: z.number().nonnegative(),
})

/** What a peer computes with. Memory in MiB, bandwidth in MiB/s; 0 where it is not known. */
const HardwareSchema = z.object({
  gpus: list(GpuSchema, 16),
  host_memory: z.number().nonnegative().default(0),
  host_memory_bandwidth: z.number().nonnegative().default(0),
  host_memory_used: z.number().nonnegative().default(0),
})
/** A peer’s hardware; memory in MiB, bandwidth in MiB/s. */
export type Hardware = z.output<typeof HardwareSchema>

/** One service a peer offers. `host` and `port` are of use to its own node only. */
export const ServiceSchema = z.object({
  name: text(64),
  hardware: HardwareSchema.default({ gpus: [], host_memory: 0, host_memory_bandwidth: 0, host_memory_used: 0 }),
  status: text(32).default('connected'),
  host: text(255).default(''),
  port: text(5).default(''),
  /** `key=value`, `key=*` or `all`; split at the first `=`. */
  identity_group: list(text(512), 256),
  /** What is known of its models beside their names. */
  model_facts: FactsRecordsSchema,
})
/** A service as its row in the node table has it. */
export type ServiceRecord = z.output<typeof ServiceSchema>

/** One row of the node table: a peer and what it offers. */
export const PeerSchema = z.object({
  id: text(128),
  /** Round trip in whole milliseconds, as this node measured it; 0 where unknown. */
  latency: z.number().int().nonnegative().default(0),
  privileged: z.boolean().default(false),
  owner: text(128).default(''),
  current_offering: list(text(512), 256),
  role: list(text(64), 16),
  status: text(32).default(''),
  available_offering: list(text(512), 256),
  service: list(ServiceSchema, 32),
  /** Unix seconds. */
  last_seen: z.number().int().nonnegative().default(0),
  version: text(64).default(''),
  public_address: text(255).default(''),
  hardware: HardwareSchema.default({ gpus: [], host_memory: 0, host_memory_bandwidth: 0, host_memory_used: 0 }),
  connected: z.boolean().default(false),
  load: list(z.number(), 16),
})
/** A peer’s row in the node table, after validation. */
export type PeerRecord = z.output<typeof PeerSchema>

/** What a peer without anything to offer looks like; callers overlay what they know. */
export function emptyPeerRecord(id: string): PeerRecord {
  return PeerSchema.parse({ id, current_offering: [], role: [], available_offering: [], service: [], load: [] })
}
