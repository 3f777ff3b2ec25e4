import type { Clock } from '../base/clock.js'
import type { Service } from '../base/lifecycle.js'
import { VERSION } from '../base/version.js'
import type { Settings } from '../config/index.js'
import type { Log } from '../logging/index.js'
import type { NodeTable } from '../node-table/index.js'
import type { Host } from '../p2p/index.js'
import {
  createAnnouncer,
  createEmbeddedDemo,
  createServiceRegistry,
  createSubprocess,
  parseSharedPath,
  type RegistrationInput,
  type ServiceRegistry,
} from '../services/index.js'
import type { ComposedEngine } from './engine.js'
import type { ComposedSharing } from './sharing.js'

/** What must run before and after the gateway's listeners open. */
export interface ComposedServices {
  before: Service[]
  after: Service[]
}

/** This machine's services, those of the settings first. */
export function composeRegistry(needs: { log: Log; settings: Settings }): ServiceRegistry {
  const { log, settings } = needs
  return createServiceRegistry(
    { log },
    { services: registrationFrom(settings), allowRemoteTarget: settings['service.allow-remote-target'] },
  )
}

/** What runs around the registry: subprocess, embedded demo model and the announcer of this node's row. */
export function composeServices(needs: {
  host: Host
  table: NodeTable
  log: Log
  clock: Clock
  settings: Settings
  dataDir: string
  registry: ServiceRegistry
  sharing: ComposedSharing
  engine: ComposedEngine
}): ComposedServices {
  const { host, table, log, clock, settings, dataDir, registry, sharing, engine } = needs
  const demo = createEmbeddedDemo(
    { log, registry, hasAnyServer: (signal) => sharing.detector.hasAnyServer(signal) },
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
  // Also without a command: an earlier start may have left one.
  const subprocess = createSubprocess({ log }, { command: settings.subprocess, dataDir })
  return {
    before: [subprocess, registry, ...sharing.before, engine.service, demo],
    after: [...sharing.after, announcer],
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
      visibility: settings['service.visibility'],
      identityGroups: settings['service.identity-group'],
      sharedPaths: settings['service.shared-path'].map(parseSharedPath),
    },
  ]
}
