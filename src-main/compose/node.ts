import { createControlServer } from '../api/http/index.js'
import {
  type AppPreferencesSource,
  type Control,
  createConnectionsSource,
  createControl,
  type Lifetime,
  type UpdatesSource,
} from '../api/index.js'
import { monotonicClock, systemClock } from '../base/clock.js'
import type { DataFolder } from '../base/data-folder.js'
import { createServiceGroup, type Service } from '../base/lifecycle.js'
import { VERSION } from '../base/version.js'
import { createKeptChats } from '../chats/index.js'
import { createLiveSettings, type Origins, type Settings } from '../config/index.js'
import type { StartEngineProcess } from '../engine/index.js'
import {
  asksForKey,
  createModelCatalog,
  createProviderHealth,
  createReachablePeers,
  type GatewayTiming,
} from '../gateway/index.js'
import { createGoNetwork } from '../go-network/index.js'
import { createJoining } from '../joining/index.js'
import type { Logger } from '../logging/index.js'
import { createNodeTable, type Trust } from '../node-table/index.js'
import { createIdentityKeeper, createPathLookup, dropDeadConnections, type Identity } from '../p2p/index.js'
import { createPeople } from '../people/index.js'
import { createOwnOffers, modelsForEveryone } from '../services/index.js'
import { readOpenFiles, shareOpenFiles } from '../services/machine/index.js'
import { createApiKeys } from '../services/secrets/index.js'
import { composeDoctor } from './doctor.js'
import { composeEngine } from './engine.js'
import { composeGateway } from './gateway.js'
import { composeNetwork } from './network.js'
import { composeRegistry, composeServices } from './services.js'
import { composeSharing, type DesktopSharing } from './sharing.js'
import { composeTelemetry } from './telemetry.js'

/** What a node is made of. Opening folder and identity comes first: they are what can be wrong before anything runs. */
export interface NodeNeeds {
  settings: Settings
  origins: Origins
  dataFolder: DataFolder
  identity: Identity
  logger: Logger
  /** The built dashboard; null where there is none to show. */
  rendererDir: string | null
  /** The files of the API's documentation page; null or absent where there are none. */
  docsDir?: string | null
  /** The desktop app around the node, where there is one. */
  app?: AppPreferencesSource
  /** The desktop app's way to a newer version. */
  updates?: UpdatesSource
  /** The desktop app's key store and what it sees of the machine. */
  desktopSharing?: DesktopSharing
  /** The built program of the engine’s processes. */
  engineEntry?: string
  /** How the desktop app starts those. */
  startEngineProcess?: StartEngineProcess
  /** What the program around it does with it on request. */
  lifetime?: Lifetime | undefined
  /** Times of the gateway that nobody sets but a test. */
  gatewayTiming?: GatewayTiming
}

/** A running node as its hosts see it. */
export interface OcfNode extends Service {
  readonly peerId: string
  readonly control: Control
  /** `http://127.0.0.1:8092`, of use while started. */
  gatewayUrl(): string | undefined
  /** With the control interface's token in its fragment. */
  dashboardUrl(): string
  multiaddrs(): string[]
  /** The gateway asks for an API key, and there is none yet. */
  lacksApiKey(): boolean
  /** It wants peers and has nowhere to look for them: no source, no trusted peer, and none connected. */
  knowsNoOne(): boolean
  /** Forwarded requests that have not ended. */
  requestsRunning(): number
  /** A request has ended since the start. */
  hasServed(): boolean
  /** What a restart is to start with. */
  nextStart(): { settings: Settings; origins: Origins }
  /** The computer was asleep: what the network forgot meanwhile is taken up again. Never rejects. */
  wakesUp(): Promise<void>
}

/** Composes a node; nothing else constructs services. */
export function createNode(needs: NodeNeeds): OcfNode {
  const { settings, dataFolder, identity, logger } = needs
  const { log } = logger
  const clock = systemClock
  const monotonic = monotonicClock
  const live = createLiveSettings(needs)
  const telemetry = composeTelemetry({ settings, clock, monotonic, log, dataFolder })
  const { traffic, history, metrics, keyUsage } = telemetry
  let hasServed = false
  const stopWaiting = traffic.onFinished(() => {
    hasServed = true
    stopWaiting()
  })
  const descriptors = shareOpenFiles(readOpenFiles())
  const apiKeys = createApiKeys({ clock, log }, { file: dataFolder.path('api-keys.json') })

  const { host, bootstrapper, presence } = composeNetwork({
    ...{ settings, live, identity, dataFolder, descriptors, log },
    metrics: metrics.libp2p,
  })
  const paths = createPathLookup(host)
  const people = createPeople(
    { host, live, clock, monotonic, log },
    { file: dataFolder.path('trust.json'), dataDir: dataFolder.dir },
  )
  let gatewayUrl = (): string | undefined => undefined
  let controlUrl = (): string | undefined => undefined
  const trust: Trust = {
    isTrusted: (peerId) => people.isTrusted(peerId),
    subscribe: (listener) => people.onTrustChanged(() => listener()),
  }
  const registry = composeRegistry({ settings, log })
  const sharing = composeSharing({
    ...{ live, settings, traffic, registry, trust, dataFolder, clock, log },
    peerId: host.peerId,
    ownPorts: () => [gatewayUrl(), controlUrl()].flatMap(portOf),
    desktop: needs.desktopSharing,
  })
  const engine = composeEngine({
    ...{ live, registry, dataFolder, clock, monotonic, log },
    ...{ pause: sharing.pause, gpus: sharing.gpus, entry: needs.engineEntry ?? '', start: needs.startEngineProcess },
  })
  const chats = createKeptChats(
    { secrets: sharing.secrets, clock, log, isKept: () => live.current['chats.keep'] },
    { dir: dataFolder.dir },
  )
  const table = createNodeTable(
    {
      ...{ host, log, clock, monotonic, trust },
      ownStatus: sharing.ownStatus,
      ownOffers: createOwnOffers({ registry, pause: sharing.pause }),
    },
    {
      dataDir: dataFolder.dir,
      leaseMs: settings['table.lease'],
      budgetBytesPerS: settings['table.background-budget'],
      reader: settings['table.reader'],
      version: VERSION,
    },
  )
  const goNetwork = createGoNetwork(
    { host, table, shared: modelsForEveryone({ registry, pause: sharing.pause }), clock, monotonic, log },
    { mode: settings['go-network'] },
  )
  // For whoever looks for providers; what is told to others, or shown as the node table, is `table` alone.
  const withGo = goNetwork.table
  const services = composeServices({
    ...{ host, table, registry, log, clock, settings, sharing, engine },
    dataDir: dataFolder.dir,
  })

  // The gateway and the pages list the models of the same peers.
  const health = createProviderHealth({ host, table: withGo, monotonic, log })
  const reachable = createReachablePeers({ host, table: withGo, health })
  const models = createModelCatalog({
    ...{ table: withGo, registry, health, reachable, monotonic, isTrusted: trust.isTrusted },
    peerId: host.peerId,
  })
  const control = createControl({
    gpus: sharing.gpus,
    facts: { version: VERSION, mode: settings.mode, startedAtMs: clock.now() },
    connections: createConnectionsSource(host),
    table: withGo,
    goNetwork,
    registry,
    reachable,
    models,
    isTrusted: trust.isTrusted,
    traffic,
    history,
    settings: live.source,
    chats,
    people,
    joining: createJoining({ host, live, people, bootstrapper, log }),
    lifetime: needs.lifetime ?? {},
    sharing: sharing.needs,
    engine: engine.control,
    logs: logger.ring,
    bootstrapper,
    identity: createIdentityKeeper({ identity, people: people.backedUp, clock, log }, { dataDir: dataFolder.dir }),
    doctor: composeDoctor({
      ...{ host, bootstrapper, table, registry, settings, clock, log },
      openFiles: () => ({ ...readOpenFiles(), shares: descriptors }),
    }),
    ...{ apiKeys, keyUsage, isKeyRequired: () => asksForKey(live.current) },
    gatewayUrl: () => gatewayUrl() ?? null,
    app: needs.app,
    updates: needs.updates,
    log,
  })
  const controlServer = createControlServer(
    { control, gatewayUrl: () => gatewayUrl() ?? null, log, monotonic },
    {
      port: settings['api-port'],
      rendererDir: needs.rendererDir,
      dataDir: dataFolder.dir,
      maxConnections: descriptors.control,
    },
  )
  controlUrl = () => controlServer.url
  // Its route for this node's own services takes the control server's token.
  const gateway = composeGateway({
    host,
    table: withGo,
    ownTable: table,
    goNetwork,
    registry,
    health,
    reachable,
    models,
    people,
    trust,
    admission: sharing.admission,
    traffic,
    monotonic,
    log,
    metrics,
    apiKeys,
    paths,
    descriptors,
    settings: live.current,
    docsDir: needs.docsDir ?? null,
    ratesFile: dataFolder.path('learned-rates.json'),
    timing: needs.gatewayTiming,
    authorize: (headers) => controlServer.authorize(headers),
    dashboardUrl: () => controlServer.url,
  })
  gatewayUrl = gateway.url
  const { streams } = gateway
  const exporters = telemetry.connect({ host, table, registry, paths, streams })

  const group = createServiceGroup(
    { log },
    {
      name: 'node',
      // Stopped in reverse: the announcer, being last, withdraws this node's row before anything else closes.
      services: [
        host,
        people,
        table,
        gateway.reach,
        goNetwork.reading,
        ...presence,
        bootstrapper,
        ...services.before,
        ...exporters,
        apiKeys,
        chats,
        gateway.listeners,
        controlServer,
        goNetwork.publishing,
        ...services.after,
      ],
    },
  )

  return {
    name: group.name,
    start: (signal) => group.start(signal),
    stop: () => group.stop(),
    peerId: host.peerId,
    control,
    gatewayUrl: gateway.url,
    dashboardUrl: () => controlServer.dashboardUrl,
    multiaddrs: () => host.multiaddrs(),
    requestsRunning: () => traffic.running,
    hasServed: () => hasServed,
    knowsNoOne: () =>
      settings.mode === 'node' && bootstrapper.status().length + people.list().length + host.connections().length === 0,
    nextStart: () => live.source.next(),
    lacksApiKey: () => asksForKey(live.current) && apiKeys.list().length === 0,
    async wakesUp() {
      await dropDeadConnections({ libp2p: host.libp2p, log })
    },
  }
}

function portOf(url: string | undefined): number[] {
  return url === undefined ? [] : [Number(new URL(url).port)]
}
