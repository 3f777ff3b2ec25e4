import type { ModelView, ProviderLoad } from '#shared/contract/models/models.js'
import { shortDigest } from '#shared/model-facts.js'
import type { ModelCatalog, RoutableModel } from '../../gateway/index.js'
import type { GoNetwork } from '../../go-network/index.js'
import type { NodeTable } from '../../node-table/index.js'
import { type ServiceRegistry, visibilityOf, wider } from '../../services/index.js'
import type { Admission } from '../../services/sharing/access/index.js'
import type { Handlers } from '../dispatch.js'
import type { FeedSource } from '../feeds.js'
import type { ConnectionsSource } from './peers.js'

/** While a person watches, providers are asked how busy they are this often: as long as an answer counts as fresh. */
const ASK_EVERY_MS = 10_000
/** Providers asked in one go. */
const MAX_ASKED = 32

/** What the models topic reads. */
export interface ModelsNeeds {
  connections: Pick<ConnectionsSource, 'peerId' | 'isConnected' | 'subscribe'>
  table: Pick<NodeTable, 'status'>
  registry: Pick<ServiceRegistry, 'connected' | 'subscribe'>
  sharing: { admission: Pick<Admission, 'usage' | 'subscribe'> }
  /** What can be routed to. */
  models: Pick<ModelCatalog, 'list' | 'facts' | 'subscribe'>
  isTrusted: (peerId: string) => boolean
  /** Who is a provider of the Go network; absent: nobody. */
  goNetwork?: Pick<GoNetwork, 'isProvider'>
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
      const { connections, table, models, sharing } = needs
      const sources = [connections, table.status, models, sharing.admission]
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

/** Models this node can route to now, by id, with who offers them and how busy they are. */
export function listModels(needs: ModelsNeeds): ModelView[] {
  return needs.models.list().map((model) => viewOf(model, needs))
}

function viewOf({ id, own, peers, inTrust, facts = {} }: RoutableModel, needs: ModelsNeeds): ModelView {
  const { connections } = needs
  const visibility = own.map((service) => visibilityOf(service, id)).reduce(wider, 'me')
  const self = {
    ...{ peerId: connections.peerId, self: true, connected: true, trusted: true, visibility },
    load: ownLoad(needs),
    digest: digestOf(needs, id, connections.peerId),
  }
  const others = [...peers].sort().map((peerId) => ({
    ...{ peerId, self: false, connected: connections.isConnected(peerId), trusted: needs.isTrusted(peerId) },
    visibility: inTrust.has(peerId) ? ('trusted' as const) : ('everyone' as const),
    load: loadOf(needs, peerId),
    ...(needs.goNetwork?.isProvider(peerId) === true ? { unsigned: true as const } : {}),
    digest: digestOf(needs, id, peerId),
  }))
  const { contextTokens: contextLength, kind, parameters, quantization, sizeBytes, capabilities } = facts
  return {
    id,
    providers: own.length > 0 ? [self, ...others] : others,
    local: own.length > 0,
    shared: visibility !== 'me',
    visibility: own.length > 0 ? visibility : null,
    servers: own.map((service) => service.id),
    ...{ contextLength, kind, parameters, quantization, sizeBytes, capabilities },
  }
}

/** As rows tell it, so that one's own can be compared with those of others. */
function digestOf({ models }: ModelsNeeds, id: string, peerId: string): string | undefined {
  return shortDigest(models.facts(id, peerId)?.digest)
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
