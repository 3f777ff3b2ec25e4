import type { ShareView } from '#shared/contract/sharing/shares.js'
import type { ServerChoices, Visibility } from '#shared/contract/sharing/visibility.js'
import type { Service } from '../../../base/lifecycle.js'

export { createShares } from './shares.js'

/** What the owner asks to share. */
export interface ShareRequest {
  host: string
  port: number
  /** Absent: a key that is kept or was typed in stays. */
  apiKey?: string
  /** The ticked models by the server's own id or the published one. */
  models: 'all' | readonly string[]
  /** Un-ticked although all are ticked. */
  except?: readonly string[]
  /** Of every ticked model without its own, and of those that appear later; absent: as it was, `me` for new ones. */
  visibility?: Visibility
  visibilities?: readonly { model: string; visibility: Visibility }[]
  aliases: readonly { name: string; model: string }[]
}

/** What became of a share that was to end. */
export interface EndedShare {
  removed: boolean
  /** It comes back with the next start: it stands in the settings, or its file could not be written. */
  untilRestart: boolean
  /** What could not be written, in a sentence for the person; null where all went well. */
  problem: string | null
}

/** The shared servers: registered with the registry, remembered across restarts. */
export interface Shares extends Service {
  list(): readonly ShareView[]
  /**
   * Shares a server, or changes what is shared of it. Peers see nothing of it before it is stored.
   * @throws AppError `invalid_service` when it is no model server, is a gateway, wants a key, or lacks a ticked model;
   * `data_dir_unusable` when it can't be stored
   */
  add(request: ShareRequest): Promise<ShareView>
  /**
   * Says who may use one model of a share, or (undefined) those that appear later. What becomes narrower counts at once,
   * what becomes wider once it is stored.
   * @throws AppError `not_found` where there is no such share, `invalid_service` where it has no such model,
   * `data_dir_unusable` where it can't be stored
   */
  setVisibility(id: string, model: string | undefined, visibility: Visibility): Promise<ShareView>
  /** Stops sharing at once, then takes it out of its file. */
  remove(id: string): Promise<EndedShare>
  /** The service an address is shared as. */
  sharedAs(address: string): string | undefined
  /** What was chosen for a server when its sharing was stopped. */
  remembered(address: string): ServerChoices | undefined
  /** The shares were kept in a format without visibilities, and the person has not changed one since. */
  readonly wasUpgraded: boolean
  /** The kept key of a server. */
  keyFor(address: string): string | undefined
  subscribe(listener: () => void): () => void
}
