import { readLimits } from '#shared/limits.js'
import type { SharingNeeds } from '../api/index.js'
import { monotonicClock as monotonic, systemSleepingClock, type Clock } from '../base/clock.js'
import type { DataFolder } from '../base/data-folder.js'
import type { Service } from '../base/lifecycle.js'
import type { LiveSettings, Settings } from '../config/index.js'
import { HOPS_HEADER } from '../gateway/index.js'
import type { Log } from '../logging/index.js'
import type { OwnStatusSource, Trust } from '../node-table/index.js'
import { createDetector, type Detector } from '../services/detection/index.js'
import type { ServiceRegistry } from '../services/index.js'
import {
  createGpuReader,
  type GpuReader,
  createHardware,
  createSystemFacts,
  type HardwareSource,
  type MachineFacts,
} from '../services/machine/index.js'
import { createSecretFile, type SecretStore, type Vault } from '../services/secrets/index.js'
import { createAdmission, type Admission } from '../services/sharing/access/index.js'
import { createLedger } from '../services/sharing/ledger/index.js'
import { createPause, readRules, type Pause } from '../services/sharing/pause/index.js'
import { createShares, type Shares } from '../services/sharing/shares/index.js'
import type { TrafficFeed } from '../telemetry/index.js'

/** What the desktop app knows better than a program without a window. */
export interface DesktopSharing {
  vault?: Vault
  /** Told once when keys lie in their file as they are all the same, with the reason. */
  onPlainSecrets?: (why: string) => void
  /** Facts in place of the system's. */
  facts?: Partial<MachineFacts>
  /** Milliseconds between two checks of them; the pause's own time unless told. */
  pauseCheckMs?: number
}

/** The donor's side: what may be used, by whom and when, and what was given. */
export interface ComposedSharing {
  admission: Admission
  pause: Pause
  hardware: HardwareSource
  gpus: GpuReader
  /** Told to peers that ask before they send a request. */
  ownStatus: OwnStatusSource
  /** Tells whether a model server runs here. */
  detector: Pick<Detector, 'hasAnyServer'>
  /** Keys of the owner's servers and of what is kept encrypted. */
  secrets: SecretStore
  /** For the control interface. */
  needs: SharingNeeds
  /** Runs behind the registry. */
  before: Service[]
  /** Runs at the end. */
  after: Service[]
}

/** Detection, shares, ledger, limits and pause: each is made after what it reads. */
export function composeSharing(needs: {
  live: LiveSettings
  settings: Settings
  traffic: TrafficFeed
  registry: ServiceRegistry
  trust: Trust
  peerId: string
  /** The ports this node itself listens on. */
  ownPorts: () => number[]
  dataFolder: DataFolder
  clock: Clock
  log: Log
  desktop?: DesktopSharing
}): ComposedSharing {
  const { live, registry, traffic, dataFolder, clock, log, desktop = {} } = needs
  const isShared = (model: string): boolean => {
    const entry = `model=${model}`
    return registry.list().some(({ identityGroups }) => identityGroups.includes(entry))
  }
  const ledger = createLedger({ traffic, isShared, clock, log }, { file: dataFolder.path('ledger.json') })
  // Asked several times for each request, so read again only after a change.
  let limits = readLimits(live.current)
  live.subscribe(() => {
    limits = readLimits(live.current)
  })
  const admission = createAdmission({
    ...{ monotonic, ledger },
    limits: () => limits,
    isTrusted: needs.trust.isTrusted,
  })
  const gpus = createGpuReader({ monotonic })
  const hardware = createHardware({ gpus })
  const pause = createPause(
    {
      facts: { ...createSystemFacts({ gpus }), ...desktop.facts },
      admission,
      rules: () => readRules(live.current),
      cutAfterMs: () => live.current['pause.cut-after'],
      clock,
      monotonic: systemSleepingClock,
      log,
    },
    { file: dataFolder.path('pause.json'), checkMs: desktop.pauseCheckMs },
  )
  const secrets = createSecretFile(
    { log, vault: desktop.vault, onPlain: desktop.onPlainSecrets },
    { file: dataFolder.path('secrets.json') },
  )
  const { detector, shares } = composeShares({ ...needs, secrets })
  return {
    admission,
    pause,
    hardware,
    gpus,
    ownStatus: createOwnStatus({ admission, pause }),
    detector,
    secrets,
    needs: { detector, shares, admission, pause, ledger },
    before: [shares, ledger, hardware, pause, createLiveChanges({ live, traffic, admission, pause, log })],
    after: [detector],
  }
}

/** The servers of this machine and what is shared of them. */
function composeShares(needs: Parameters<typeof composeSharing>[0] & { secrets: SecretStore }): {
  detector: Detector
  shares: Shares
} {
  const { settings, registry, peerId, ownPorts, dataFolder, secrets, clock, log } = needs
  const detector = createDetector(
    {
      keyFor: (address) => shares.keyFor(address),
      sharedAs: (address) => shares.sharedAs(address),
      remembered: (address) => shares.remembered(address),
      ownPorts,
      hopHeaders: { [HOPS_HEADER]: peerId },
      log,
    },
    { allowRemoteTarget: settings['service.allow-remote-target'] },
  )
  const shares = createShares(
    { registry, detector: () => detector, secrets, clock, log },
    { file: dataFolder.path('shares.json') },
  )
  return { detector, shares }
}

/** How busy this node is, for peers. */
function createOwnStatus({ admission, pause }: { admission: Admission; pause: Pause }): OwnStatusSource {
  return {
    current() {
      const { slots, queue, ownRunning } = admission.usage()
      return {
        slotsTotal: slots.total,
        slotsFree: Math.max(0, slots.total - slots.used - ownRunning),
        queueLength: slots.used + queue.used,
        // Not why: what the owner does is nobody's business.
        paused: pause.isPaused ? 'its owner has paused sharing' : null,
      }
    },
  }
}

/** Limits and pause rules count as soon as they are saved, the tokens of an answer as soon as it ended. */
function createLiveChanges(needs: {
  live: LiveSettings
  traffic: TrafficFeed
  admission: Admission
  pause: Pause
  log: Log
}): Service {
  const { live, traffic, admission, pause, log } = needs
  let stops: (() => void)[] = []
  return {
    name: 'live-sharing',
    start() {
      stops = [
        live.subscribe((name) => {
          if (name.startsWith('limits.')) admission.limitsChanged()
          if (!name.startsWith('pause.')) return
          pause.review().catch((error: unknown) => log.error('the pause rules failed', { error }))
        }),
        traffic.onFinished(({ direction, peer, tokensIn, tokens }) => {
          if (direction === 'in' && peer !== null) admission.charge(peer, (tokensIn ?? 0) + (tokens ?? 0))
        }),
      ]
      return Promise.resolve()
    },
    stop() {
      for (const stop of stops) stop()
      return Promise.resolve()
    },
  }
}
