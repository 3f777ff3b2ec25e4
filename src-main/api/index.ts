import type { SettingsSource } from '../config/index.js'
import type { ModelCatalog, ReachablePeers } from '../gateway/index.js'
import type { GoNetwork } from '../go-network/index.js'
import type { Log } from '../logging/index.js'
import type { NodeTable } from '../node-table/index.js'
import type { ServiceRegistry } from '../services/index.js'
import type { GpuReader } from '../services/machine/index.js'
import type { TrafficFeed, TrafficHistory } from '../telemetry/index.js'
import { createDispatch, type Dispatch } from './dispatch.js'
import { createFeeds, type Feeds } from './feeds.js'
import { createAppHandlers, type AppPreferencesSource } from './handlers/app.js'
import {
  createBootstrapFeed,
  createBootstrapHandlers,
  createNetworkHandlers,
  type BootstrapNeeds,
  type NetworkNeeds,
} from './handlers/bootstrap.js'
import { createDoctorFeed, createDoctorHandlers, type DoctorNeeds } from './handlers/doctor.js'
import { createEngineFeed, createEngineHandlers, type EngineControlNeeds } from './handlers/engine/engine.js'
import { createKeysHandlers, type KeysNeeds } from './handlers/keys.js'
import { createLogsFeed, createLogsHandlers, type LogsSource } from './handlers/logs.js'
import { createModelsFeed, createModelsHandlers } from './handlers/models.js'
import { createPeersFeed, createPeersHandlers, type ConnectionsSource } from './handlers/peers.js'
import {
  createIdentityHandlers,
  createPeopleFeeds,
  createPeopleHandlers,
  type IdentityNeeds,
  type PeopleHandlersNeeds,
} from './handlers/people.js'
import { createServicesFeed, createServicesHandlers } from './handlers/services.js'
import { type ChatsNeeds, createChatsHandlers, createSettingsHandlers } from './handlers/settings.js'
import { createSharingFeeds, createSharingHandlers, type SharingNeeds } from './handlers/sharing.js'
import { createNodeHandlers, createStatusFeed, type NodeFacts } from './handlers/status.js'
import { createTableHandlers } from './handlers/table.js'
import { createTrafficHandlers, createTrafficSource } from './handlers/traffic.js'
import { createUpdateFeed, createUpdateHandlers, type UpdatesSource } from './handlers/update.js'
export type { AppPreferencesSource } from './handlers/app.js'
export type { EngineControlNeeds } from './handlers/engine/engine.js'
export { createConnectionsSource } from './handlers/peers.js'
export type { SharingNeeds } from './handlers/sharing.js'
export type { Lifetime } from './handlers/status.js'
export type { UpdatesSource } from './handlers/update.js'
export { testModel } from './model-test.js'

/** Everything the control interface reads. */
export interface ControlNeeds
  extends BootstrapNeeds, ChatsNeeds, DoctorNeeds, IdentityNeeds, KeysNeeds, NetworkNeeds, PeopleHandlersNeeds {
  gpus: Pick<GpuReader, 'read'>
  facts: NodeFacts
  connections: ConnectionsSource
  table: NodeTable
  registry: ServiceRegistry
  traffic: TrafficFeed
  history: Pick<TrafficHistory, 'read'>
  settings: Omit<SettingsSource, 'next'>
  sharing: SharingNeeds
  engine: EngineControlNeeds
  logs: LogsSource
  /** The gateway's base address without `/v1`; null while it has no port. */
  gatewayUrl(): string | null
  /** What can be routed to. */
  models: Pick<ModelCatalog, 'list' | 'facts' | 'subscribe'>
  isTrusted: (peerId: string) => boolean
  /** This node's part in the Go implementation's network; absent: none. Its providers are in `table` then. */
  goNetwork?: Pick<GoNetwork, 'isProvider' | 'view'>
  /** Which owners of rows are known to be there. */
  reachable: Pick<ReachablePeers, 'standing' | 'subscribe'>
  /** The desktop app around the node, where there is one. */
  app?: AppPreferencesSource
  /** Its way to a newer version. */
  updates?: UpdatesSource
  log: Log
}

/** The control interface without a transport: HTTP and IPC adapters both stand on it. */
export interface Control {
  readonly dispatch: Dispatch
  readonly feeds: Feeds
}

/** Calls and feeds over a running node. A new topic is one line here and one file in `handlers/`. */
export function createControl(needs: ControlNeeds): Control {
  const dispatch = createDispatch({
    handlers: {
      ...createAppHandlers(needs),
      ...createUpdateHandlers(needs),
      ...createNodeHandlers(needs),
      ...createPeersHandlers(needs),
      ...createBootstrapHandlers(needs),
      ...createNetworkHandlers(needs),
      ...createTableHandlers(needs),
      ...createModelsHandlers(needs),
      ...createServicesHandlers(needs),
      ...createSettingsHandlers(needs),
      ...createChatsHandlers(needs),
      ...createLogsHandlers(needs),
      ...createDoctorHandlers(needs),
      ...createIdentityHandlers(needs),
      ...createKeysHandlers(needs),
      ...createTrafficHandlers(needs),
      ...createSharingHandlers(needs),
      ...createEngineHandlers(needs.engine),
      ...createPeopleHandlers(needs),
    },
  })
  const feeds = createFeeds({
    sources: {
      status: createStatusFeed(needs),
      peers: createPeersFeed(needs),
      bootstrap: createBootstrapFeed(needs),
      models: createModelsFeed(needs),
      services: createServicesFeed(needs),
      logs: createLogsFeed(needs),
      traffic: createTrafficSource(needs),
      ...createSharingFeeds(needs.sharing),
      engine: createEngineFeed(needs.engine),
      ...createPeopleFeeds(needs),
      update: createUpdateFeed(needs),
      doctor: createDoctorFeed(needs),
    },
    log: needs.log,
  })
  return { dispatch, feeds }
}
