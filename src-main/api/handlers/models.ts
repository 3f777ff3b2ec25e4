import type { ModelView } from '#shared/contract/models.js'
import type { NodeTable } from '../../node-table/index.js'
import type { LocalService, ServiceRegistry } from '../../services/index.js'
import type { Handlers } from '../dispatch.js'
import type { FeedSource } from '../feeds.js'
import type { ConnectionsSource } from './peers.js'

/** The service models are routed by, and how their identity-group entries begin. */
const LLM = 'llm'
const MODEL_ENTRY = 'model='

/** What the models topic reads. */
export interface ModelsNeeds {
  connections: Pick<ConnectionsSource, 'peerId' | 'isConnected' | 'subscribe'>
  table: Pick<NodeTable, 'entries' | 'subscribe'>
  registry: Pick<ServiceRegistry, 'connected' | 'subscribe'>
  /** False while the gateway leaves a peer alone because it did not answer. Default: every peer is routable. */
  isRoutable?: (peerId: string) => boolean
}

/** `models.list`. */
export function createModelsHandlers(needs: ModelsNeeds): Pick<Handlers, 'models.list'> {
  return { 'models.list': () => listModels(needs) }
}

/** The `models` feed. */
export function createModelsFeed(needs: ModelsNeeds): FeedSource<ModelView[]> {
  return {
    snapshot: () => listModels(needs),
    subscribe(listener) {
      const stops = [needs.connections, needs.table, needs.registry].map((source) => source.subscribe(listener))
      return () => stops.forEach((stop) => stop())
    },
  }
}

/** Models this node can route to now, by id: those of its own servers and those of routable peers. */
export function listModels(needs: ModelsNeeds): ModelView[] {
  const models = new Map<string, ModelView>()
  const modelOf = (id: string): ModelView => {
    const known = models.get(id)
    if (known !== undefined) return known
    const model: ModelView = { id, providers: [], local: false, shared: false, servers: [] }
    models.set(id, model)
    return model
  }
  for (const service of needs.registry.connected(LLM)) addLocal(service, modelOf, needs.connections.peerId)
  for (const [entry, peers] of needs.table.entries(LLM)) {
    const id = modelIdOf(entry)
    if (id === undefined) continue
    const others = [...peers].filter(
      (peerId) => peerId !== needs.connections.peerId && (needs.isRoutable?.(peerId) ?? true),
    )
    for (const peerId of others.sort()) {
      modelOf(id).providers.push({ peerId, self: false, connected: needs.connections.isConnected(peerId) })
    }
  }
  return [...models.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

function addLocal(service: LocalService, modelOf: (id: string) => ModelView, self: string): void {
  const routed = service.identityGroups.map(modelIdOf).filter((id) => id !== undefined)
  for (const id of new Set(routed)) {
    const model = modelOf(id)
    model.local = true
    model.shared ||= service.published
    model.servers.push(service.id)
    model.contextLength ??= service.models.find((listed) => listed.id === id)?.contextLength
    if (model.providers.length === 0) model.providers.push({ peerId: self, self: true, connected: true })
  }
}

/** The id in `model=<id>`; undefined for `model=*` and for entries about something else. */
function modelIdOf(entry: string): string | undefined {
  const id = entry.startsWith(MODEL_ENTRY) ? entry.slice(MODEL_ENTRY.length) : ''
  return id === '' || id === '*' ? undefined : id
}
