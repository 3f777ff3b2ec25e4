import type { NodeTable } from '../../node-table/index.js'
import type { Admission } from '../../services/sharing/access/index.js'
import type { ServiceRegistry } from '../../services/index.js'
import type { Door } from '../listener/door.js'
import type { Reachability } from './reachability.js'

/** One model of `GET /v1/models`, as OpenAI lists it, plus what a mesh can say of it. */
export interface ModelEntry {
  id: string
  object: 'model'
  /** Unix seconds; 0 where nobody told. */
  created: number
  owned_by: string
  ocf: {
    /** Peers that offer it and can be routed to now, this node included. */
    providers: number
    /** True when this node itself offers it. */
    local: boolean
    /** Tokens, where known. */
    context_length?: number
    /** The first of those peers. */
    servers: string[]
  }
}

const MODEL_PREFIX = 'model='

/** Peers named per model; the count is complete. */
const MAX_SERVERS = 16

/** Every model that can be routed to now; on the peer door this node's own published ones only. Sorted by id. */
export function listModels(
  needs: {
    table: NodeTable
    registry: ServiceRegistry
    reachability: Reachability
    peerId: string
    admission: Pick<Admission, 'closed'>
  },
  door: Door,
): ModelEntry[] {
  const entries = new Map<string, ModelEntry>()
  if (door === 'peer' && needs.admission.closed !== undefined) return []
  for (const service of needs.registry.connected('llm')) {
    if (door === 'peer' && !service.published) continue
    for (const group of service.identityGroups) {
      const id = modelOf(group)
      if (id === undefined || entries.has(id)) continue
      const model = service.models.find((candidate) => candidate.id === id)
      entries.set(id, {
        id,
        object: 'model',
        created: model?.created ?? 0,
        owned_by: model?.ownedBy ?? 'ocf',
        ocf: {
          providers: 1,
          local: true,
          ...(model?.contextLength === undefined ? {} : { context_length: model.contextLength }),
          servers: [needs.peerId],
        },
      })
    }
  }
  if (door === 'local') addPeersModels(needs, entries)
  return [...entries.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

function addPeersModels(
  needs: { table: NodeTable; reachability: Reachability; peerId: string },
  entries: Map<string, ModelEntry>,
): void {
  for (const [group, peers] of needs.table.entries('llm')) {
    const id = modelOf(group)
    if (id === undefined) continue
    const routable = [...peers].filter((peer) => peer !== needs.peerId && needs.reachability.isRoutable(peer))
    if (routable.length === 0) continue
    const known = entries.get(id)
    const ocf = known?.ocf ?? { providers: 0, local: false, servers: [] }
    ocf.providers += routable.length
    ocf.servers.push(...routable.slice(0, MAX_SERVERS - ocf.servers.length))
    if (known === undefined) entries.set(id, { id, object: 'model', created: 0, owned_by: 'ocf', ocf })
  }
}

/** The model's id in an identity-group entry; undefined for anything that names no single model. */
function modelOf(group: string): string | undefined {
  if (!group.startsWith(MODEL_PREFIX)) return undefined
  const id = group.slice(MODEL_PREFIX.length)
  return id === '' || id === '*' ? undefined : id
}
