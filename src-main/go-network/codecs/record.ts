import { z } from 'zod'

/** What a record tells of this node, and nothing else: not its machine, its addresses or its version. */
export interface OwnOffer {
  peerId: string
  /** Names of models that everyone may use. */
  models: readonly string[]
  /** Unix seconds. */
  lastSeen: number
  /** It says good-bye. */
  hasLeft: boolean
}

const NO_HARDWARE = { host_memory: 0, host_memory_bandwidth: 0, host_memory_used: 0 }

/**
 * This node's record as the Go program writes one, byte by byte: the order of the fields is that of its struct. The role
 * is never head or relay, for nodes of these are used as HTTP relays, and no address is told, for it would be taken for
 * one of the network's bootstraps.
 */
export function encodeRecord({ peerId, models, lastSeen, hasLeft }: OwnOffer): Uint8Array {
  const service = {
    name: 'llm',
    hardware: { gpus: null, ...NO_HARDWARE },
    status: 'connected',
    // Nobody but this node reads these two.
    host: 'localhost',
    port: '0',
    identity_group: models.map((model) => `model=${model}`),
  }
  return new TextEncoder().encode(
    JSON.stringify({
      id: peerId,
      latency: 0,
      privileged: false,
      owner: '',
      current_offering: null,
      role: ['worker'],
      status: hasLeft ? 'left' : '',
      available_offering: null,
      service: hasLeft || models.length === 0 ? null : [service],
      last_seen: lastSeen,
      version: '',
      public_address: '',
      hardware: { gpus: [], ...NO_HARDWARE },
      connected: !hasLeft,
      load: null,
    }),
  )
}

/** What is looked at in a record that somebody wrote under this node's name. */
const WrittenSchema = z.object({ status: z.string().default(''), evicted_by: z.string().default('') })

/** Whether a record says that its peer has left. Anything that is no record says nothing. */
export function saysLeft(value: Uint8Array): boolean {
  try {
    const parsed = WrittenSchema.safeParse(JSON.parse(new TextDecoder().decode(value)))
    return parsed.success && parsed.data.status === 'left'
  } catch {
    return false
  }
}
