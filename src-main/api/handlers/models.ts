import type { ModelView, ProviderLoad } from '#shared/contract/models.js'
import type { NodeTable } from '../../node-table/index.js'
import type { Admission } from '../../services/sharing/access/index.js'
import type { LocalService, ServiceRegistry } from '../../services/index.js'
import type { Handlers } from '../dispatch.js'
import type { FeedSource } from '../feeds.js'
import type { ConnectionsSource } from './peers.js'

/** The service models are routed by, and how their identity-group entries begin. */
const LLM = 'llm'
const MODEL_ENTRY = 'model='

/** While somebody looks, providers are asked how busy they are this often: as long as an answer counts as fresh. */
const ASK_EVERY_MS = 10_000
/** Providers asked in one go. */
const MAX_ASKED = 32

/** What the models topic reads. */
export interface ModelsNeeds {
  connections: Pick<ConnectionsSource, 'peerId' | 'isConnected' | 'subscribe'>
  table: Pick<NodeTable, 'entries' | 'subscribe' | 'status'>
  registry: Pick<ServiceRegistry, 'connected' | 'subscribe'>
  sharing: { admission: Pick<Admission, 'usage' | 'subscribe'> }
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
      const sources = [needs.connections, needs.table, needs.registry, needs.table.status, needs.sharing.admission]
      const stops = sources.map((source) => source.subscribe(listener))
      const ask = (): void => {
        askProviders(needs)
        // An answer that is too old now is shown no longer.
        listener()
      }
      askProviders(needs)
      const timer = setInterval(ask, ASK_EVERY_MS)
      return () => {
        clearInterval(timer)
        stops.forEach((stop) => stop())
      }
    },
  }
}

/** Has connected providers tell how busy they are; answers come through the table's status. */
function askProviders(needs: ModelsNeeds): void {
  const providers = listModels(needs).flatMap((model) => model.providers)
  const connected = providers.filter(({ self, connected: isConnected }) => !self && isConnected)
  const ids = new Set(connected.map(({ peerId }) => peerId))
  for (const peerId of [...ids].slice(0, MAX_ASKED)) needs.table.status.get(peerId)
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
  for (const service of needs.registry.connected(LLM)) addLocal(service, modelOf, needs)
  for (const [entry, peers] of needs.table.entries(LLM)) {
    const id = modelIdOf(entry)
    if (id === undefined) continue
    const others = [...peers].filter(
      (peerId) => peerId !== needs.connections.peerId && (needs.isRoutable?.(peerId) ?? true),
    )
    for (const peerId of others.sort()) {
      modelOf(id).providers.push({
        ...{ peerId, self: false, connected: needs.connections.isConnected(peerId) },
        load: loadOf(needs, peerId),
      })
    }
  }
  return [...models.values()].sort((a, b) => (a.id < b.id ? -1 : 1))
}

function addLocal(service: LocalService, modelOf: (id: string) => ModelView, needs: ModelsNeeds): void {
  const routed = service.identityGroups.map(modelIdOf).filter((id) => id !== undefined)
  for (const id of new Set(routed)) {
    const model = modelOf(id)
    model.local = true
    model.shared ||= service.published
    model.servers.push(service.id)
    model.contextLength ??= service.models.find((listed) => listed.id === id)?.contextLength
    if (model.providers.length > 0) continue
    const { peerId } = needs.connections
    model.providers.push({ peerId, self: true, connected: true, load: ownLoad(needs) })
  }
}

function loadOf({ table }: ModelsNeeds, peerId: string): ProviderLoad | null {
  const status = table.status.peek(peerId)
  if (status === undefined) return null
  const { slotsTotal, slotsFree, queueLength, paused } = status
  return { slotsTotal, slotsFree, queueLength, paused: paused !== null }
}

/** What is left for peers; the owner's own requests take what they want. */
function ownLoad({ sharing }: ModelsNeeds): ProviderLoad {
  const { slots, queue, ownRunning } = sharing.admission.usage()
  return {
    slotsTotal: slots.total,
    slotsFree: Math.max(0, slots.total - slots.used - ownRunning),
    queueLength: slots.used + queue.used + ownRunning,
    // It pauses for others only.
    paused: false,
  }
}

/** The id in `model=<id>`; undefined for `model=*` and for entries about something else. */
function modelIdOf(entry: string): string | undefined {
  const id = entry.startsWith(MODEL_ENTRY) ? entry.slice(MODEL_ENTRY.length) : ''
  return id === '' || id === '*' ? undefined : id
}
