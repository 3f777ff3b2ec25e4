import type { Clock } from '../../base/clock.js'
import type { Service } from '../../base/lifecycle.js'
import type { Log } from '../../logging/index.js'
import type { Host, NetworkMode } from '../index.js'
import type { MachineNodes } from './machine-nodes.js'
import type { RawBootstrapSetting } from './parse-source.js'
import type { NameLookup } from './resolve-dnsaddr.js'

/** How one source did when it was last asked. */
export interface BootstrapSourceStatus {
  /** As written in the settings. */
  source: string
  /** The setting it comes from. */
  setting: string
  /**
   * `bad`: cannot be understood and is never asked. `waiting`: not asked yet. `failed`: it does not answer, or nobody
   * answers at the addresses it told.
   */
  state: 'bad' | 'waiting' | 'ok' | 'failed'
  /** Addresses it told. */
  addresses: number
  /** What went wrong, when something did. */
  reason: string | undefined
  /** Unix milliseconds. */
  askedAtMs: number | undefined
}

/** Finds the first peers, and again whenever this node has none. */
export interface Bootstrapper extends Service {
  /** One entry per source, in the order they are asked. */
  status(): BootstrapSourceStatus[]
  /** Other sources from now on; they are asked once at once, peers or not. Without effect in other modes than node. */
  replaceSources(sources: readonly RawBootstrapSetting[]): void
  /** Parts with those it met through sources or remembered from earlier runs, but for those it is to keep. Never rejects. */
  forgetPeers(isKept: (peerId: string) => boolean): Promise<void>
  /** Calls `listener` after each change of a status; returns the way to stop. */
  subscribe(listener: () => void): () => void
}

/** Time and chance; tests bring their own. */
export interface BootstrapClock extends Clock {
  /** In [0, 1). */
  random(): number
  /** Resolves after `ms`, or at once when `signal` aborts. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** What a bootstrapper uses; it is started after the host. */
export interface BootstrapperNeeds {
  host: Host
  log: Log
  clock?: BootstrapClock
  /** Default: the system's. */
  names?: NameLookup
  /** Asked in the mode local, in each round without a peer. */
  machineNodes?: Pick<MachineNodes, 'addresses'>
}

/** Options of {@link Bootstrapper}. */
export interface BootstrapperOptions {
  /** standalone: no source is asked; local: the nodes of this machine; node: `sources`. */
  mode: NetworkMode
  /** The raw settings, in the order they are asked: see `bootstrapSettings`. */
  sources: readonly RawBootstrapSetting[]
  /** Where good peers are remembered across restarts (mode node only). */
  rememberFile: string
}

export { createBootstrapper } from './bootstrapper.js'
export { ANOTHER_PEER, failureWords } from './failure-words.js'
export { createMachineNodes, machineNodePids, machineNodesDir } from './machine-nodes.js'
export {
  bootstrapSettings,
  dialableMultiaddr,
  oddEntries,
  parseBootstrapSettings,
  type RawBootstrapSetting,
} from './parse-source.js'
export { resolveSource } from './resolve-source.js'
export { type SourceAttempt, trySource } from './try-source.js'
