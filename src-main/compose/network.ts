import type { Metrics } from '@libp2p/interface'
import type { DataFolder } from '../base/data-folder.js'
import type { Service } from '../base/lifecycle.js'
import { VERSION } from '../base/version.js'
import type { LiveSettings, Settings } from '../config/index.js'
import { goHostOptions } from '../go-network/index.js'
import type { Log } from '../logging/index.js'
import {
  bootstrapSettings,
  createBootstrapper,
  createMachineNodes,
  machineNodesDir,
  type Bootstrapper,
} from '../p2p/bootstrap/index.js'
import { createHost, type Host, type HostOptions, type Identity, type RelayOptions } from '../p2p/index.js'

/** The libp2p host and what finds its first peers. */
export interface ComposedNetwork {
  host: Host
  bootstrapper: Bootstrapper
  /** Shows this node to others of this machine; nothing in the mode standalone. */
  presence: Service[]
}

/** Both as the settings say; neither is started. */
export function composeNetwork(needs: {
  settings: Settings
  live: LiveSettings
  identity: Identity
  dataFolder: DataFolder
  metrics: Metrics
  descriptors: NonNullable<HostOptions['descriptors']>
  log: Log
}): ComposedNetwork {
  const { settings, live, identity, dataFolder, metrics, descriptors, log } = needs
  const host = createHost(
    { identity, log, dataFolder, metrics },
    {
      mode: settings.mode,
      tcpPort: settings.tcpport,
      wsPort: settings.wsport,
      udpPort: settings.udpport,
      listenHosts: settings['p2p-host'],
      publicAddr: settings['public-addr'],
      version: VERSION,
      descriptors,
      relay: relayOptions(settings),
      upnp: settings.upnp,
      mdns: settings.mdns,
      swarmKeyFile: settings['swarm-key'],
      ...goHostOptions(settings['go-network']),
    },
  )
  const machineNodes = createMachineNodes({ host, log: log.forComponent('bootstrap') }, { dir: machineNodesDir() })
  const bootstrapper = createBootstrapper(
    { host, log, machineNodes },
    {
      mode: settings.mode,
      sources: bootstrapSettings(settings),
      rememberFile: dataFolder.path('remembered-peers.json'),
    },
  )
  live.subscribe((name) => {
    if (name.startsWith('bootstrap.') || name === 'network')
      bootstrapper.replaceSources(bootstrapSettings(live.current))
  })
  return { host, bootstrapper, presence: settings.mode === 'standalone' ? [] : [machineNodes] }
}

function relayOptions(settings: Settings): RelayOptions {
  return {
    mode: settings.relay,
    maxReservations: settings['relay.max-reservations'],
    circuitBytes: settings['relay.circuit-data'],
    circuitMs: settings['relay.circuit-time'],
    peerBytes: settings['relay.peer-data'],
    totalBytes: settings['relay.total-data'],
  }
}
