import { systemClock } from './clock.js'
import { createControl, type Control } from './api/index.js'
import { createConnectionsSource } from './api/handlers/peers.js'
import { createControlServer } from './api/http/index.js'
import { createSettingsSource } from './config/settings-source.js'
import type { Origins } from './config/load-settings.js'
import type { Settings } from './config/settings.js'
import type { DataFolder } from './data-folder.js'
import { composeGateway } from './compose-gateway.js'
import { composeServices } from './compose-services.js'
import { composeTelemetry } from './compose-telemetry.js'
import { createServiceGroup, type Service } from './lifecycle.js'
import type { Logger } from './logging/logger.js'
import { createNodeTable } from './node-table/index.js'
import { bootstrapSettings, createBootstrapper } from './p2p/bootstrap/index.js'
import { createHost, type Identity } from './p2p/index.js'
import { createPathLookup } from './p2p/path-lookup.js'
import { VERSION } from './version.js'

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
}

/** A running node as its hosts see it. */
export interface OcfNode extends Service {
  readonly peerId: string
  readonly control: Control
  /** `http://127.0.0.1:8092`, of use while started. */
  gatewayUrl(): string | undefined
  /** With the token of this start in its fragment. */
  dashboardUrl(): string
  multiaddrs(): string[]
}

/** Composes a node; nothing else constructs services. */
export function createNode(needs: NodeNeeds): OcfNode {
  const { settings, dataFolder, identity, logger } = needs
  const { log } = logger
  const clock = systemClock
  /** What counts now: live changes are written into it. */
  const inForce: Settings = { ...settings }
  const telemetry = composeTelemetry({ settings, clock, log, dataFolder })
  const { traffic, history, metrics } = telemetry

  const host = createHost(
    { identity, log, dataFolder, metrics: metrics.libp2p },
    {
      mode: settings.mode,
      tcpPort: settings.tcpport,
      wsPort: settings.wsport,
      udpPort: settings.udpport,
      listenHosts: settings['p2p-host'],
      publicAddr: settings['public-addr'],
      version: VERSION,
    },
  )
  const paths = createPathLookup(host)
  const bootstrapper = createBootstrapper(
    { host, log },
    {
      mode: settings.mode,
      sources: bootstrapSettings(settings),
      rememberFile: dataFolder.path('remembered-peers.json'),
    },
  )
  const table = createNodeTable({ host, log, clock }, { dataDir: dataFolder.dir, leaseMs: settings['table.lease'] })
  const services = composeServices({ host, table, log, clock, settings, dataDir: dataFolder.dir })

  // The gateway's own-node route and the control server share one token; either may be built first.
  let gatewayUrl = (): string | undefined => undefined
  const control = createControl({
    facts: { version: VERSION, mode: settings.mode, startedAtMs: clock.now() },
    connections: createConnectionsSource(host),
    table,
    registry: services.registry,
    traffic,
    history,
    settings: createSettingsSource({
      settings,
      origins: needs.origins,
      onLiveChange(name, value) {
        Object.assign(inForce, { [name]: value })
        if (name === 'log-level') logger.setLevel(inForce['log-level'])
      },
    }),
    logs: logger.ring,
    gatewayUrl: () => gatewayUrl() ?? null,
    log,
  })
  const controlServer = createControlServer(
    { control, gatewayUrl: () => gatewayUrl() ?? null, log, clock },
    { port: settings['api-port'], rendererDir: needs.rendererDir, dataDir: dataFolder.dir },
  )
  const gateway = composeGateway({
    host,
    table,
    registry: services.registry,
    traffic,
    clock,
    log,
    metrics,
    paths,
    settings: inForce,
    docsDir: needs.docsDir ?? null,
    controlToken: controlServer.token,
    dashboardUrl: () => controlServer.url,
  })
  gatewayUrl = gateway.url
  const { streams } = gateway
  const exporters = telemetry.connect({ host, table, registry: services.registry, paths, streams })

  const group = createServiceGroup(
    { log },
    {
      name: 'node',
      // Stopped in reverse: the announcer, being last, withdraws this node's row before anything else closes.
      services: [
        host,
        table,
        gateway.reach,
        bootstrapper,
        ...services.before,
        ...exporters,
        gateway.doors,
        controlServer,
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
  }
}
