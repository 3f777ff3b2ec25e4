import type { ShareView } from '#shared/contract/shares.js'
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
  aliases: readonly { name: string; model: string }[]
}

/** The shared servers: registered with the registry, remembered across restarts. */
export interface Shares extends Service {
  list(): readonly ShareView[]
  /**
   * Shares a server, or changes what is shared of it.
   * @throws AppError `invalid_service` when it is no model server, is a gateway, wants a key, or lacks a ticked model
   */
  add(request: ShareRequest): Promise<ShareView>
  /** Stops sharing. `untilRestart`: it stands in the settings and comes back with the next start. */
  remove(id: string): Promise<{ removed: boolean; untilRestart: boolean }>
  /** The service an address is shared as. */
  sharedAs(address: string): string | undefined
  /** The kept key of a server. */
  keyFor(address: string): string | undefined
  subscribe(listener: () => void): () => void
}
