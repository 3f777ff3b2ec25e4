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
  /** The address group or relay it comes from: identities cost nothing, addresses do. */
  readonly source: string
  /** A model is to work for it: limits that count what models do apply. */
  readonly usesModel: boolean
}

/** How the body of a request comes; asked now and then. */
export interface ArrivingBody {
  /** What came over its stream so far. */
  readonly bytesCome: number
  /** Nothing of it is still to come. */
  readonly isHere: boolean
  /** Bytes of it wait here to be taken by a server: it is not the peer that is slow. */
  readonly isHeldUp: boolean
}

/** A request of another peer on its way to a slot, from its arrival to the end of its answer. */
export interface SlotRequest {
  /**
   * Takes room in the queue and waits for a slot, once the body is here. `left`: it ended meanwhile.
   * @throws AppError `provider_busy` (with a time to try again) when the queue is full or no slot is free in time;
   *   `request_timeout` when its body came too slowly; why a pause began
   */
  acquire(): Promise<'granted' | 'left'>
  /** Gives back the slot, or its room among those that arrive or wait; idempotent. */
  release(): void
  /** It gets no slot, for that reason; nothing once it has one. */
  refuse(error: AppError): void
  /** Calls `listener` when it gets no slot, also while its body is still coming. */
  onRefused(listener: (error: AppError) => void): void
  /** Calls `listener` when the slot is taken back while the answer runs: by the owner, or as its body comes too slowly. */
  onCut(listener: (reason: AppError) => void): void
}

/** Who may use this machine's servers, and when: the owner's limits at the peer listener. */
export interface Admission {
  /**
   * A request of a peer arrived; its body has not been read yet, and it holds nothing that others wait for.
   * @throws AppError `peer_not_allowed`, `rate_limited`, `provider_busy`, or why sharing is paused
   */
  enter(asker: Asker, body: ArrivingBody): SlotRequest
  /** Only what needs no slot: may this peer ask at all? Throws as {@link Admission.enter} does. */
  check(asker: Asker): void
  /** Counts tokens that a request of this peer was given; what goes beyond a limit makes its next one wait. */
  charge(peerId: string, tokens: number): void
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
  /**
   * False while the owner's own requests alone are as many as there are slots: a further one may then go to a peer that
   * is free, where the owner allows that. Requests of peers never send the owner away, nor does a limit of 0.
   */
  readonly hasRoom: boolean
  readonly limits: Limits
  /** Calls `listener` after each change of the usage; returns the way to stop. */
  subscribe(listener: () => void): () => void
  /** The limits were changed: more slots may be free. */
  limitsChanged(): void
}
