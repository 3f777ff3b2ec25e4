import { StreamEvents } from '../body/stream-events.js'
import { type AnswerForm, UnfitContinuation } from './answer-form.js'
import { eventsIn, eventText, parsed } from './events.js'
import type { Said } from './said.js'

/** Makes the stream of a second provider the rest of the first one's: event by event, at whatever bytes it is cut. */
export class Splicer {
  readonly #form: AnswerForm
  readonly #before: Readonly<Said>
  readonly #events: StreamEvents

  constructor(form: AnswerForm, before: Readonly<Said>) {
    this.#form = form
    // The client's answer goes on growing while this one comes.
    this.#before = { ...before, head: { ...before.head } }
    this.#events = new StreamEvents(form.framing)
  }

  /**
   * What the client gets for a piece of the second stream; undefined where that is nothing (yet).
   * @throws UnfitContinuation where it can't be joined to what was said
   */
  push(piece: Buffer): Buffer | undefined {
    const whole = this.#events.push(piece)
    return whole === undefined ? undefined : this.#joined(whole)
  }

  /** What is left at the end of the second stream. */
  rest(): Buffer | undefined {
    const rest = this.#events.rest()
    return rest === undefined ? undefined : this.#joined(rest)
  }

  #joined(events: Buffer): Buffer | undefined {
    const { framing } = this.#form
    let text = ''
    for (const event of eventsIn(events.toString('utf8'), framing)) {
      const value = parsed(event)
      if (value?.['error'] !== undefined) throw new UnfitContinuation('it ended in an error')
      const spliced = value === undefined ? undefined : this.#form.spliced(value, this.#before)
      if (spliced !== undefined) text += eventText({ ...event, data: JSON.stringify(spliced) }, framing)
      else if (value === undefined && event.data === '[DONE]') text += eventText(event, framing)
    }
    return text === '' ? undefined : Buffer.from(text)
  }
}
