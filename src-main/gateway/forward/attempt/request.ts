import type { IncomingHttpHeaders } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Connection } from '@libp2p/interface'
import type { RequestBody } from '../../body/request-body.js'
import type { AttemptFailure } from '../failures.js'
import type { Headers } from '../headers.js'
import type { Contest } from '../race.js'
import type { Reply } from '../reply.js'
import type { AnswerPace } from './answer-pace.js'
import type { Refused } from './error-body.js'

/** What is asked of the target, and who hears of what becomes of it. */
export interface AttemptRequest {
  method: string
  body: RequestBody
  /** No byte for this long ends the attempt; 0 never does. */
  idleTimeoutMs: number
  /** Statuses that mean "ask another provider" are not handed to the client but returned as `refused`. */
  mayRefuse: boolean
  /** Further statuses that are not handed to the client, whoever else is there to be asked. */
  neverRelayed?: ReadonlySet<number> | undefined
  /** Asked when an answer breaks off: why, where nothing failed. Soon, and never rejects. */
  whyBrokenOff?: (() => Promise<string | undefined>) | undefined
  /** For a WebSocket handshake: whether a 101 with these headers answers it. */
  isAccepted?: ((headers: IncomingHttpHeaders) => boolean) | undefined
  /**
   * Of a request to a model: called at the clean end of a stream of events, with whether it carried one of the marks such
   * streams end with. False says that it should have: the answer breaks off then.
   */
  isComplete?: ((endMarked: boolean) => boolean) | undefined
  /** An answer that is no stream of events begins with its body: where that never comes, the attempt failed. */
  holdsHead?: boolean | undefined
  /**
   * Where another may be asked: hears of it when the provider is most likely gone, so that it is left before it has begun
   * to answer; returns the way to stop.
   */
  onSuspect?: ((leave: (suspect: Suspect) => void) => () => void) | undefined
  /** Others that may be at work on the same request; without it the head goes to the client as soon as it comes. */
  contest?: Contest | undefined
  /** What the body has to keep up with; without it each piece is progress. */
  pace?: AnswerPace | undefined
  /** The answer begins: with its head, or where there is a contest, with the first progress of its body. */
  onAnswer?: (() => void) | undefined
  /** Called with each piece of the answer that is progress; must be quick. */
  onData?: (() => void) | undefined
  /** Whether the client can be given an answer with this head; one that it can't is returned as `refused`. */
  takes?: ((status: number, headers: IncomingHttpHeaders) => boolean) | undefined
  /** An answer broke off behind its head: true where somebody else goes on with it, and the client hears nothing of it. */
  onCut?: (() => boolean) | undefined
  /** Hears that the provider is about to cut the answer, which somebody else would rather go on with now; returns the way to stop. */
  onLeaving?: ((leave: () => void) => () => void) | undefined
  /** Adds headers of our own to those the client will get; called when the answer begins. */
  addOwnHeaders(headers: Headers, timing: AttemptTiming): void
}

/** A connection that is most likely lost, and what there is beside it. */
export interface Suspect {
  connection: Connection
  hasOtherProvider: boolean
  hasOtherConnection: boolean
}

/** Milliseconds since the attempt began. */
export interface AttemptTiming {
  connectMs: number
  ttfbMs: number
}

/**
 * How an attempt ended. Only `refused` and `failed` leave the client untouched, so only they allow another one; `upgraded`
 * leaves it to the caller, who has the bare connection to the provider now.
 */
export type AttemptResult =
  | { kind: 'upgraded'; socket: Duplex; headers: IncomingHttpHeaders; timing: AttemptTiming }
  | { kind: 'relayed'; status: number; timing: AttemptTiming }
  | Refused
  | AttemptFailure
  | {
      kind: 'cut'
      reason: string
      /** The provider has said why, and nothing failed. */
      explained: boolean
      timedOut: boolean
      /** Somebody else is to go on with it: the client was told nothing. */
      goesOn: boolean
      status: number
      timing: AttemptTiming
    }
  | { kind: 'client-gone' }
  /** Another provider's answer came first, or what `why` says. */
  | { kind: 'overtaken'; why?: string | undefined }

/** Where the answer of an attempt goes. */
export type AnswerSink = Pick<Reply, 'gone' | 'onGone' | 'offGone' | 'head' | 'write' | 'onDrain' | 'end' | 'breakOff'>
