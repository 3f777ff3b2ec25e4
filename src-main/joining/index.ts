import type { JoinResult, NetworkView } from '#shared/contract/network/join.js'
import type { LiveSettings } from '../config/index.js'
import type { Log } from '../logging/index.js'
import type { Bootstrapper } from '../p2p/bootstrap/index.js'
import type { Host } from '../p2p/index.js'
import type { People } from '../people/index.js'

/** What was changed, and whether it waits for the next start. */
export interface NetworkChange {
  sentence: string
  restartNeeded: boolean
}

/** Takes this node into networks and out of them. */
export interface Joining {
  view(): Omit<NetworkView, 'canRestart'>
  /** Never rejects for what the text is. @throws AppError `rate_limited`, `data_dir_unusable`, `invalid_settings` */
  join(text: string, options: { switchNetwork: boolean }): Promise<JoinResult>
  /** @throws AppError `invalid_request`, `data_dir_unusable`, `invalid_settings` */
  create(name: string): Promise<NetworkChange>
  /** @throws AppError `not_found` in the open network */
  key(): string
  /** @throws AppError `not_found` for a source that was not joined, `invalid_settings` */
  leave(what: string | undefined): Promise<NetworkChange>
}

/** What joining stands on. */
export interface JoiningNeeds {
  host: Host
  live: LiveSettings
  people: Pick<People, 'join' | 'readInvite' | 'network' | 'isTrusted'>
  bootstrapper: Pick<Bootstrapper, 'forgetPeers'>
  log: Log
}

export { createJoining } from './joining.js'
