import type { SharingNeeds } from '../api/handlers/sharing.js'
import type { Clock } from '../base/clock.js'
import type { ComposedSharing } from './sharing.js'
import type { Settings } from '../config/settings.js'
import type { Service } from '../base/lifecycle.js'
import type { Log } from '../logging/index.js'
import type { NodeTable } from '../node-table/index.js'
import type { Host } from '../p2p/index.js'
import { createAnnouncer } from '../services/registry/announcer.js'
import {
  createEmbeddedDemo,
  createServiceRegistry,
  createSubprocess,
  parseSharedPath,
  type RegistrationInput,
  type ServiceRegistry,
} from '../services/index.js'
import { VERSION } from '../base/version.js'

/** This machine's services, and what must run before and after the gateway's listeners open. */
export interface ComposedServices {
  registry: ServiceRegistry
  /** For the control interface. */
  sharing: SharingNeeds
  before: Service[]
  after: Service[]
}

/** Registry, subprocess, embedded demo model and the announcer of this node's row. */
export function composeServices(needs: {
  host: Host
  table: NodeTable
  log: Log
  clock: Clock
  settings: Settings
  dataDir: string
  sharing: ComposedSharing
  /** The ports this node itself listens on. */
  ownPorts: () => number[]
}): ComposedServices {
  const { host, table, log, clock, settings, dataDir, sharing } = needs
  const registry = createServiceRegistry(
    { log },
    {
      services: registrationFrom(settings),
      allowRemoteTarget: settings['service.allow-remote-target'],
    },
  )
  const shared = sharing.connect({ registry, peerId: () => host.peerId, ownPorts: needs.ownPorts })
  const demo = createEmbeddedDemo(
    { log, registry, hasAnyServer: (signal) => shared.detector.hasAnyServer(signal) },
    { mode: settings['demo-model'], dataDir, tokensPerSecond: settings['demo-model.tokens-per-second'] },
  )
  const announcer = createAnnouncer({
    registry,
    table,
    log,
    facts: () => ({
      peerId: host.peerId,
      version: VERSION,
      publicAddress: settings['public-addr'],
      nowMs: clock.now(),
      hardware: sharing.hardware.read(),
      paused: sharing.pause.isPaused,
    }),
    alsoChangedBy: [sharing.pause, sharing.hardware],
  })
  const subprocess = settings.subprocess === '' ? [] : [createSubprocess({ log }, { command: settings.subprocess })]
  return {
    registry,
    sharing: shared.needs,
    before: [...subprocess, registry, ...shared.before, demo],
    after: [...shared.after, announcer],
  }
}

/** What `--service.name` and its companions ask for: at most one service. */
function registrationFrom(settings: Settings): RegistrationInput[] {
  const port = settings['service.port']
  if (settings['service.name'] === '' || port === undefined) return []
  return [
    {
      name: settings['service.name'],
      port,
      host: settings['service.host'],
      healthPath: settings['service.health-path'],
      healthRetries: settings['service.health-retries'],
      healthIntervalMs: settings['service.health-interval'],
      identityGroups: settings['service.identity-group'],
      sharedPaths: settings['service.shared-path'].map(parseSharedPath),
    },
  ]
}
