import type { Usage } from '#shared/contract/sharing/limits.js'
import type { AppError } from '#shared/errors.js'
import type { Limits } from '#shared/limits.js'

export { createAdmission } from './admission.js'
export { isOwnersMember, missingQuestion, withoutOwnersOptions } from './engine-options.js'
export { isGeneration, lowerTokens, withoutDoubles } from './token-limit.js'

/** Who asks this machine, and for what. */
export interface Asker {
  /** Proven by the secure channel. */
  readonly peerId: string
  /** A model is to work for it: limits that count what models do apply. */
  readonly usesModel: boolean
}

/** A request of another peer on its way to a slot, from its arrival to the end of its answer. */
export interface SlotRequest {
  /**
   * Waits for a slot, once the body is here. `left`: it ended meanwhile.
   * @throws AppError `provider_busy` (with a time to try again) when no slot is free in time; why a pause began
   */
  acquire(): Promise<'granted' | 'left'>
  /** Gives back the slot, or its room in the queue; idempotent. */
  release(): void
  /** It gets no slot, for that reason; nothing once it has one. */
  refuse(error: AppError): void
  /** Calls `listener` when it gets no slot, also while its body is still coming. */
  onRefused(listener: (error: AppError) => void): void
  /** Calls `listener` when the owner takes the slot back while the answer runs. */
  onCut(listener: (reason: AppError) => void): void
}

/** Who may use this machine's servers, and when: the owner's limits at the peer listener. */
export interface Admission {
  /**
   * A request of a peer arrived; its body has not been read yet.
   * @throws AppError `peer_not_allowed`, `rate_limited`, `provider_busy`, or why sharing is paused
   */
  enter(asker: Asker): SlotRequest
  /** Only what needs no slot: may this peer ask at all? Throws as {@link Admission.enter} does. */
  check(asker: Asker): void
  /** The owner's own request begins; call what is returned when it ended. It never waits, and takes a slot from peers. */
  beginOwn(): () => void
  /** No new requests from now on, for this reason; those that wait are refused. Undefined: open again. */
  close(reason: AppError | undefined): void
  /** Why there are no new requests now; undefined while there are. */
  readonly closed: AppError | undefined
  /** Ends the requests of peers that are running. */
  cutRunning(reason: AppError): void
  usage(): Usage
  /** Requests at work, the owner's own among them: what may be asked for each request, unlike {@link Admission.usage}. */
  readonly atWork: number
  /** False while as many requests are at work as there are slots. */
  readonly hasRoom: boolean
  readonly limits: Limits
  /** Calls `listener` after each change of the usage; returns the way to stop. */
  subscribe(listener: () => void): () => void
  /** The limits were changed: more slots may be free. */
  limitsChanged(): void
}
