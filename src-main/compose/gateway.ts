import { type MonotonicClock, systemClock } from '../base/clock.js'
import { createServiceGroup, type Service } from '../base/lifecycle.js'
import { VERSION } from '../base/version.js'
import type { Settings } from '../config/index.js'
import {
  ApiKeyCheck,
  asksForKey,
  BodyMemory,
  createForwarder,
  createGatewayListener,
  createKnownOffers,
  createLearnedRates,
  createListeners,
  createLocalClients,
  createLocalListener,
  createProviderChoice,
  createProviderScores,
  createRequestReach,
  createStatusFollower,
  KeptResponses,
  LoopWatch,
  modelOfOffer,
  Patience,
  PATIENCE,
  TokenSizes,
  type GatewayNeeds,
  type GatewayOptions,
  type GatewayTiming,
  type ModelCatalog,
  type ProviderHealth,
  type ReachablePeers,
} from '../gateway/index.js'
import type { GoNetwork } from '../go-network/index.js'
import type { Log } from '../logging/index.js'
import type { NodeTable, Trust } from '../node-table/index.js'
import {
  createPeerClients,
  createPeerListener,
  type Host,
  type PathLookup,
  type PeerClients,
  type PeerListener,
  roundTripMs,
} from '../p2p/index.js'
import type { TrustedPeers } from '../people/index.js'
import type { ServiceRegistry } from '../services/index.js'
import type { ApiKeys } from '../services/secrets/index.js'
import type { Admission } from '../services/sharing/access/index.js'
import type { Metrics, TrafficFeed } from '../telemetry/index.js'

export interface ComposedGateway {
  /** Follows the table; runs from the beginning. */
  reach: Service
  /** The two listeners and the clients behind them. */
  listeners: Service
  /** `http://127.0.0.1:8092`; undefined while it does not listen. */
  url: () => string | undefined
  /** HTTP streams to peers. */
  streams: () => { pools: number; streams: number }
}

/** The gateway: one app, two listeners, and the clients it forwards with. */
export function composeGateway(needs: {
  host: Host
  /** Where providers are looked for. */
  table: NodeTable
  /** What is shown to others as this node's table. */
  ownTable: Pick<NodeTable, 'rows'>
  goNetwork: Pick<GoNetwork, 'isProvider'>
  registry: ServiceRegistry
  /** These three run with {@link ComposedGateway.reach}. */
  health: ProviderHealth
  reachable: ReachablePeers
  models: ModelCatalog
  people: TrustedPeers
  trust: Trust
  admission: Admission
  traffic: TrafficFeed
  monotonic: MonotonicClock
  log: Log
  paths: PathLookup
  metrics: Metrics
  apiKeys: ApiKeys
  /** Read for each request, so that live changes count at once. */
  settings: Readonly<Settings>
  docsDir: string | null
  /** Where what is learned of providers' speed is kept. */
  ratesFile: string
  timing?: GatewayTiming | undefined
  /** Connections of apps, and to each server of this machine. */
  descriptors: { gateway: number; servers: number }
  /** Lets pass the bearer of the control token; throws an AppError otherwise. */
  authorize: GatewayOptions['authorize']
  dashboardUrl: () => string | undefined
}): ComposedGateway {
  const {
    host,
    table,
    registry,
    health,
    reachable,
    models,
    trust,
    admission,
    traffic,
    monotonic,
    log,
    paths,
    metrics,
    settings,
  } = needs
  const peerClients = createPeerClients({ host, log }, { connectTimeoutMs: () => settings['gateway.connect-timeout'] })
  const localClients = createLocalClients({ maxConnections: needs.descriptors.servers })
  const knownOffers = createKnownOffers({ table })
  const scores = createProviderScores({
    monotonic,
    roundTripMs: (peerId) => roundTripMs(host, peerId),
    saidSpeed(peerId, offer) {
      const model = modelOfOffer(offer)
      return model === undefined ? undefined : models.facts(model, peerId)?.speed
    },
  })
  const patience = new Patience({ ...PATIENCE, ...needs.timing?.patience })
  const statusFollower = createStatusFollower({ table, scores })
  const reach = createRequestReach({ registry, models, settings, isTrusted: trust.isTrusted })
  const sizes = new TokenSizes()
  const choice = createProviderChoice({ host, table, registry, admission, health, reach, scores, models, sizes })
  const loops = new LoopWatch({ localClients, registry, monotonic, log: log.forComponent('loops') })
  const learnedRates = createLearnedRates({ scores, sizes, clock: systemClock, log }, { file: needs.ratesFile })
  const forwarder = createForwarder(
    {
      ...{ host, peerClients, localClients, registry, health, reach, admission, scores, patience, paths, models, log },
      ...{ loops, table, offers: table.offers },
    },
    settings,
  )
  const gatewayNeeds: GatewayNeeds = {
    ...{ host, table, registry, trust, admission, forwarder, health, reachable, models, choice, knownOffers },
    ...{ loops, peerClients, localClients, traffic, paths, metrics, monotonic, log },
    ownTable: needs.ownTable,
    goNetwork: needs.goNetwork,
    apiKeys: new ApiKeyCheck({ keys: needs.apiKeys, monotonic, isRequired: () => asksForKey(settings) }),
    responses: new KeptResponses(),
    // One body of the greatest size always has room.
    bodies: new BodyMemory(() => Math.max(settings['gateway.body-memory'], settings['gateway.max-body'])),
  }
  const options: GatewayOptions = {
    settings,
    docsDir: needs.docsDir,
    version: VERSION,
    authorize: needs.authorize,
    dashboardUrl: needs.dashboardUrl,
    bindHost: settings.host,
    ...(needs.timing === undefined ? {} : { timing: needs.timing }),
  }
  const localListener = createLocalListener(
    { handler: createGatewayListener(gatewayNeeds, options, 'local'), log },
    {
      host: settings.host,
      port: settings.port,
      headersTimeoutMs: needs.timing?.headersTimeoutMs,
      maxConnections: needs.descriptors.gateway,
    },
  )
  const peerListener = createPeerListener({ host, handler: createGatewayListener(gatewayNeeds, options, 'peer'), log })
  return {
    reach: createServiceGroup(
      { log },
      { name: 'reach', services: [learnedRates, health, reachable, models, knownOffers, statusFollower] },
    ),
    listeners: createServiceGroup(
      { log },
      {
        name: 'listeners',
        services: [
          createListeners({ clients: [localClients, peerClients], listeners: [peerListener, localListener], log }),
          cutUntrusted({ people: needs.people, peerClients, peerListener }),
        ],
      },
    ),
    url: () => localListener.url,
    streams: () => peerClients.stats(),
  }
}

/** Ends what runs between this node and a peer, in both directions, as soon as it is no longer trusted. */
function cutUntrusted(needs: {
  people: TrustedPeers
  peerClients: Pick<PeerClients, 'cut'>
  peerListener: Pick<PeerListener, 'cut'>
}): Service {
  const { people, peerClients, peerListener } = needs
  let unfollow = (): void => undefined
  return {
    name: 'untrusted-peers',
    start() {
      unfollow = people.onTrustChanged((peerId) => {
        if (people.isTrusted(peerId)) return
        peerClients.cut(peerId, new Error('it is no longer trusted'))
        peerListener.cut(peerId)
      })
      return Promise.resolve()
    },
    stop() {
      unfollow()
      return Promise.resolve()
    },
  }
}
