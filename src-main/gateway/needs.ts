import type { IncomingHttpHeaders } from 'node:http'
import type { MonotonicClock } from '../base/clock.js'
import type { Settings } from '../config/index.js'
import type { GoNetwork } from '../go-network/index.js'
import type { Log } from '../logging/index.js'
import type { NodeTable, Trust } from '../node-table/index.js'
import type { Host, PathLookup, PeerClients } from '../p2p/index.js'
import type { PeerClass, ServiceRegistry } from '../services/index.js'
import type { Admission } from '../services/sharing/access/index.js'
import type { Metrics, TrafficFeed } from '../telemetry/index.js'
import type { BodyMemory } from './body/body-memory.js'
import type { Forwarder } from './forward/forwarder.js'
import type { LocalClients } from './forward/local-clients.js'
import type { ApiKeyCheck } from './listener/api-keys.js'
import type { LoopWatch } from './listener/loop-watch.js'
import type { KeptResponses } from './routing/affinity/kept-responses.js'
import type { KnownOffers } from './routing/known-offers.js'
import type { ModelCatalog } from './routing/model-catalog.js'
import type { PatienceLimits } from './routing/patience.js'
import type { ProviderChoice } from './routing/provider-choice.js'
import type { ProviderHealth } from './routing/provider-health.js'
import type { ReachablePeers } from './routing/reachable-peers.js'

/** What the gateway's routes stand on. */
export interface GatewayNeeds {
  host: Host
  /** Where providers are looked for. */
  table: NodeTable
  /** What peers and programs are shown as this node's table: signed rows alone. */
  ownTable: Pick<NodeTable, 'rows'>
  registry: ServiceRegistry
  /** Whom the person trusts: what peers see and may use of this node depends on it. */
  trust: Trust
  /** Who is a provider of the Go network. */
  goNetwork?: Pick<GoNetwork, 'isProvider'>
  /** The owner's limits at the peer listener. */
  admission: Admission
  forwarder: Forwarder
  /** Tells of own servers that forward to this node. */
  loops: Pick<LoopWatch, 'check'>
  /** To other peers' listeners. */
  peerClients: Pick<PeerClients, 'to'>
  /** To this machine's own servers. */
  localClients: Pick<LocalClients, 'to'>
  /** Who may use the local listener. */
  apiKeys: ApiKeyCheck
  health: ProviderHealth
  choice: ProviderChoice
  /** Which owners of rows are known to be there. */
  reachable: Pick<ReachablePeers, 'has' | 'standing'>
  models: ModelCatalog
  knownOffers: KnownOffers
  /** Who keeps which response. */
  responses: KeptResponses
  traffic: TrafficFeed
  paths: PathLookup
  metrics: Metrics
  /** What the bodies of all requests take. */
  bodies: BodyMemory
  monotonic: MonotonicClock
  log: Log
}

/** How a peer stands with this node's owner. */
export function classOf({ trust }: Pick<GatewayNeeds, 'trust'>, peerId: string | undefined): PeerClass {
  return peerId !== undefined && trust.isTrusted(peerId) ? 'trusted' : 'stranger'
}

/** Times of the gateway that are no settings; what is left out has its default. */
export interface GatewayTiming {
  /** Milliseconds without a byte after which an event-stream client gets a comment; 15 s. */
  commentEveryMs?: number
  /** How long in ms a client of the local listener may take to send its headers; 30 s. */
  headersTimeoutMs?: number
  /** How long providers may keep a request waiting before another is asked, too. */
  patience?: Partial<PatienceLimits>
}

/** How the gateway behaves. */
export interface GatewayOptions {
  /** Read for each request, so that a live change counts at once. */
  settings: Readonly<Pick<Settings, 'mode' | 'go-network' | 'gateway.max-body' | 'cors-origins' | 'allowed-hosts'>>
  version: string
  /**
   * Lets pass who may change this node: the bearer of the control token.
   * @throws AppError `unauthorized`, `rate_limited`
   */
  authorize(headers: IncomingHttpHeaders): void
  /** Where the dashboard is; undefined while it has no port. */
  dashboardUrl: () => string | undefined
  /** The address the gateway is bound to. */
  bindHost: string
  /** The folder of Swagger UI's files; null where they were not built. */
  docsDir: string | null
  timing?: GatewayTiming
}
