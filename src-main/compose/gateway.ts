import type { Clock } from '../base/clock.js'
import type { Settings } from '../config/settings.js'
import { createDoors } from '../gateway/listener/doors.js'
import { createAffinity } from '../gateway/routing/affinity.js'
import { createForwarder } from '../gateway/forward/forwarder.js'
import { createLocalClients } from '../gateway/forward/local-clients.js'
import { createProviderScores } from '../gateway/routing/provider-scores.js'
import { createStatusFollower } from '../gateway/routing/status-follower.js'
import type { Reachability } from '../gateway/routing/reachability.js'
import { createGatewayListener, type GatewayNeeds, type GatewayOptions, type GatewayTiming } from '../gateway/index.js'
import { createKnownOffers } from '../gateway/routing/known-offers.js'
import { createProviderChoice } from '../gateway/routing/provider-choice.js'
import { createLocalDoor } from '../gateway/listener/local-door.js'
import { createServiceGroup, type Service } from '../base/lifecycle.js'
import type { Log } from '../logging/index.js'
import type { NodeTable } from '../node-table/index.js'
import { createPeerClients } from '../p2p/http/peer-clients.js'
import { createPeerDoor } from '../p2p/http/peer-door.js'
import type { Host } from '../p2p/index.js'
import type { PathLookup } from '../p2p/dial/path-lookup.js'
import type { Admission } from '../services/sharing/access/index.js'
import type { ServiceRegistry } from '../services/index.js'
import type { Metrics } from '../telemetry/metrics.js'
import type { TrafficFeed } from '../telemetry/traffic.js'
import { VERSION } from '../base/version.js'

export interface ComposedGateway {
  /** Follows the table; runs from the beginning. */
  reach: Service
  /** The two doors and the clients behind them. */
  doors: Service
  /** `http://127.0.0.1:8092`; undefined while it does not listen. */
  url: () => string | undefined
  /** HTTP streams to peers. */
  streams: () => { pools: number; streams: number }
}

/** The gateway: one app, two doors, and the clients it forwards with. */
export function composeGateway(needs: {
  host: Host
  table: NodeTable
  registry: ServiceRegistry
  /** Runs with {@link ComposedGateway.reach}. */
  reachability: Reachability
  admission: Admission
  traffic: TrafficFeed
  clock: Clock
  log: Log
  paths: PathLookup
  metrics: Metrics
  /** Read again for each request, so that live changes count at once. */
  settings: Readonly<Settings>
  docsDir: string | null
  timing?: GatewayTiming | undefined
  controlToken: string
  dashboardUrl: () => string | undefined
}): ComposedGateway {
  const { host, table, registry, reachability, admission, traffic, clock, log, paths, metrics, settings } = needs
  const peerClients = createPeerClients(
    { host, log },
    {
      get connectTimeoutMs() {
        return settings['gateway.connect-timeout']
      },
    },
  )
  const localClients = createLocalClients()
  const knownOffers = createKnownOffers({ table })
  const scores = createProviderScores({ clock })
  const statusFollower = createStatusFollower({ table, scores })
  const affinity = createAffinity({ clock })
  const choice = createProviderChoice({ host, table, registry, admission, reachability, scores, affinity })
  const forwarder = createForwarder(
    { host, peerClients, localClients, registry, reachability, admission, scores, paths, log },
    {
      get idleTimeoutMs() {
        return settings['gateway.idle-timeout']
      },
    },
  )
  const gatewayNeeds: GatewayNeeds = {
    ...{ host, table, registry, admission, forwarder, reachability, choice, knownOffers },
    ...{ traffic, paths, metrics, clock, log },
  }
  const options: GatewayOptions = {
    get maxBodyBytes() {
      return settings['gateway.max-body']
    },
    get corsOrigins() {
      return settings['cors-origins']
    },
    docsDir: needs.docsDir,
    version: VERSION,
    controlToken: needs.controlToken,
    dashboardUrl: needs.dashboardUrl,
    bindHost: settings.host,
    ...(needs.timing === undefined ? {} : { timing: needs.timing }),
  }
  const localDoor = createLocalDoor(
    { handler: createGatewayListener(gatewayNeeds, options, 'local'), log },
    { host: settings.host, port: settings.port, headersTimeoutMs: needs.timing?.headersTimeoutMs },
  )
  const peerDoor = createPeerDoor({ host, handler: createGatewayListener(gatewayNeeds, options, 'peer'), log })
  return {
    reach: createServiceGroup({ log }, { name: 'reach', services: [reachability, knownOffers, statusFollower] }),
    doors: createDoors({ clients: [localClients, peerClients], doors: [peerDoor, localDoor], log }),
    url: () => localDoor.url,
    streams: () => peerClients.stats(),
  }
}
