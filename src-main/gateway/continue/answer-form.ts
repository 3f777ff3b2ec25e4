import type { JsonChanges, JsonObjectBytes } from '../../base/json/object.js'
import type { Framing } from '../body/stream-events.js'
import type { AnswerEvent, EventValue } from './events.js'
import type { Said } from './said.js'

/** How a request asks for a streamed answer, and how that is told, in one of the interfaces. */
export interface AnswerForm {
  readonly name: 'chat' | 'completions' | 'messages' | 'ollama-chat' | 'ollama-generate'
  readonly framing: Framing
  /** Why the answer to this request can't be continued, in words for the log; undefined where it can. */
  obstacle(request: JsonObjectBytes): string | undefined
  /** What to change of a request so that its answer goes on behind what was said. */
  changes(request: JsonObjectBytes, said: Readonly<Said>): JsonChanges
  /** The tokens that its answer may have; undefined where the request sets no bound. */
  mostTokens(request: JsonObjectBytes): number | undefined
  /** Takes one event of the answer into account. */
  read(said: Said, event: EventValue): void
  /**
   * An event of the second provider as the first would have sent it: undefined where the client has it already. `before`
   * is what was said before that provider came in.
   * @throws UnfitContinuation where it began anew, or does what can't be joined to what was said
   */
  spliced(event: EventValue, before: Readonly<Said>): EventValue | undefined
  /** The events that an answer lacks which was lost at its very end: that it is over, or that it has reached its bound. */
  ending(said: Readonly<Said>): AnswerEvent[]
}

/** Of an answer with an event like no other in its interface: the client has something, and nobody knows what. */
export const UNKNOWN_EVENT = 'an event of it is of no known kind'

/** The second provider's answer can't be joined to what the client has. */
export class UnfitContinuation extends Error {
  override readonly name = 'UnfitContinuation'
}
