import type { NodeTable } from '../../node-table/index.js'
import type { LocalService, ServiceRegistry } from '../../services/index.js'
import type { Admission } from '../../services/sharing/access/index.js'
import type { Listener } from '../listener/listeners.js'
import type { ProviderHealth } from './provider-health.js'

/** What the models that can be routed to are read from. */
export interface ModelSources {
  table: Pick<NodeTable, 'entries'>
  registry: Pick<ServiceRegistry, 'connected'>
  health: Pick<ProviderHealth, 'isRoutable'>
  /** This node's own id. */
  peerId: string
}

/** A model that can be routed to now. */
export interface RoutableModel {
  id: string
  /** This node's services that offer it, published ones first. */
  own: LocalService[]
  /** Other peers that offer it and can be asked. */
  peers: string[]
}

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

/** The service that models are routed by, and how its identity groups name one. */
const LLM = 'llm'
const MODEL_PREFIX = 'model='

/** Peers named per model; the count is complete. */
const MAX_SERVERS = 16

/** Every model that can be routed to now, sorted by id: the one list that pages, commands and the gateway read. */
export function routableModels({ table, registry, health, peerId }: ModelSources): RoutableModel[] {
  const models = new Map<string, RoutableModel>()
  const modelOf = (id: string): RoutableModel => {
    const known = models.get(id)
    if (known !== undefined) return known
    const model: RoutableModel = { id, own: [], peers: [] }
    models.set(id, model)
    return model
  }
  for (const service of registry.connected(LLM)) {
    const ids = service.identityGroups.map(modelIdOf).filter((id) => id !== undefined)
    for (const id of new Set(ids)) modelOf(id).own.push(service)
  }
  for (const [group, offering] of table.entries(LLM)) {
    const id = modelIdOf(group)
    if (id === undefined) continue
    const peers = [...offering].filter((peer) => peer !== peerId && health.isRoutable(peer))
    if (peers.length > 0) modelOf(id).peers.push(...peers)
  }
  return [...models.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

/** The same as OpenAI lists it; at the listener for peers this node's own published models only. */
export function listModels(
  needs: ModelSources & { admission: Pick<Admission, 'closed'> },
  listener: Listener,
): ModelEntry[] {
  if (listener === 'local') return routableModels(needs).map((model) => entryOf(model, needs.peerId))
  if (needs.admission.closed !== undefined) return []
  const registry = { connected: (name: string) => needs.registry.connected(name).filter(({ published }) => published) }
  const own = routableModels({ ...needs, registry, table: NOTHING_OFFERED })
  return own.map((model) => entryOf(model, needs.peerId))
}

const NOTHING_OFFERED: ModelSources['table'] = { entries: () => new Map() }

function entryOf({ id, own, peers }: RoutableModel, peerId: string): ModelEntry {
  const [first] = own
  const listed = first?.models.find((model) => model.id === id)
  const providers = first === undefined ? peers : [peerId, ...peers]
  return {
    id,
    object: 'model',
    created: listed?.created ?? 0,
    owned_by: listed?.ownedBy ?? 'ocf',
    ocf: {
      providers: providers.length,
      local: first !== undefined,
      ...(listed?.contextLength === undefined ? {} : { context_length: listed.contextLength }),
      servers: providers.slice(0, MAX_SERVERS),
    },
  }
}

/** The model's id in an identity-group entry; undefined for anything that names no single model. */
function modelIdOf(group: string): string | undefined {
  if (!group.startsWith(MODEL_PREFIX)) return undefined
  const id = group.slice(MODEL_PREFIX.length)
  return id === '' || id === '*' ? undefined : id
}
