import type { Usage } from '#shared/contract/limits.js'
import type { AppError } from '#shared/errors.js'
import type { Limits } from '#shared/limits.js'

export { createAdmission } from './admission.js'
export { isGeneration, lowerTokens, withoutDoubles } from './token-limit.js'

/** A request of another peer on its way to one of the places, from its arrival to the end of its answer. */
export interface Ticket {
  /**
   * Waits for a place. `left`: it ended meanwhile.
   * @throws AppError `provider_busy` (with a time to try again) when there is no place in time, and why a pause began
   */
  turn(): Promise<'granted' | 'left'>
  /** Gives back whatever it holds; idempotent. */
  end(): void
  /** Calls `listener` when the owner takes the place back while the answer runs. */
  onCut(listener: (reason: AppError) => void): void
}

/** Who may use this machine's servers, and when: the owner's limits at the peer door. */
export interface Admission {
  /**
   * A request of `peerId` arrived; its body has not been read yet.
   * @throws AppError `peer_not_allowed`, `rate_limited`, `provider_busy`, or why sharing is paused
   */
  enter(peerId: string): Ticket
  /** Only what needs no place: may this peer ask at all? Throws as {@link Admission.enter} does. */
  check(peerId: string): void
  /** The owner's own request begins; call what is returned when it ended. It never waits, and takes a place from peers. */
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
  /** False while as many requests are at work as there are places. */
  readonly hasRoom: boolean
  readonly limits: Limits
  /** Calls `listener` after each change of the usage; returns the way to stop. */
  subscribe(listener: () => void): () => void
  /** The limits were changed: more places may be free. */
  limitsChanged(): void
}
