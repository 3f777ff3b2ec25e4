import type { Clock } from './clock.js'
import type { Settings } from './config/settings.js'
import { createForwarder } from './gateway/forward/forwarder.js'
import { createLocalClients } from './gateway/forward/local-clients.js'
import { createReachability } from './gateway/forward/reachability.js'
import { createGatewayListener } from './gateway/index.js'
import { createKnownOffers } from './gateway/known-offers.js'
import { createLocalDoor } from './gateway/local-door.js'
import { createServiceGroup, type Service } from './lifecycle.js'
import type { Log } from './logging/index.js'
import type { NodeTable } from './node-table/index.js'
import { createPeerClients } from './p2p/http/peer-clients.js'
import { createPeerDoor } from './p2p/http/peer-door.js'
import type { Host } from './p2p/index.js'
import type { ServiceRegistry } from './services/index.js'
import type { TrafficFeed } from './telemetry/traffic.js'
import { VERSION } from './version.js'

export interface ComposedGateway {
  /** Follows the table; runs from the beginning. */
  reach: Service
  /** The two doors and the clients behind them. */
  doors: Service
  /** `http://127.0.0.1:8092`; undefined while it does not listen. */
  url: () => string | undefined
}

/** The gateway: one app, two doors, and the clients it forwards with. */
export function composeGateway(needs: {
  host: Host
  table: NodeTable
  registry: ServiceRegistry
  traffic: TrafficFeed
  clock: Clock
  log: Log
  settings: Settings
  controlToken: string
  dashboardUrl: () => string | undefined
}): ComposedGateway {
  const { host, table, registry, traffic, clock, log, settings } = needs
  const peerClients = createPeerClients({ host, log }, { connectTimeoutMs: settings['gateway.connect-timeout'] })
  const localClients = createLocalClients()
  const reachability = createReachability({ host, table, clock, log })
  const knownOffers = createKnownOffers({ table })
  const forwarder = createForwarder(
    { host, peerClients, localClients, registry, reachability, log },
    { idleTimeoutMs: settings['gateway.idle-timeout'] },
  )
  const gatewayNeeds = { host, table, registry, forwarder, reachability, knownOffers, traffic, clock, log }
  const options = {
    maxBodyBytes: settings['gateway.max-body'],
    corsOrigins: settings['cors-origins'],
    version: VERSION,
    controlToken: needs.controlToken,
    dashboardUrl: needs.dashboardUrl,
    bindHost: settings.host,
  }
  const localDoor = createLocalDoor(
    { handler: createGatewayListener(gatewayNeeds, options, 'local'), log },
    { host: settings.host, port: settings.port },
  )
  const peerDoor = createPeerDoor({ host, handler: createGatewayListener(gatewayNeeds, options, 'peer'), log })
  return {
    reach: createServiceGroup({ log }, { name: 'reach', services: [reachability, knownOffers] }),
    doors: createServiceGroup({ log }, { name: 'doors', services: [localClients, peerClients, peerDoor, localDoor] }),
    url: () => localDoor.url,
  }
}
