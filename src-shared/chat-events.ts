/** One event of a `text/event-stream`. */
export interface ServerEvent {
  /** `message` where none is named. */
  event: string
  data: string
}

/** What the gateway says ahead of what a second provider says, when the first one was lost. */
const CONTINUED = /^: ocf-continued peer=(\w{1,128})(?: |$)/

/** More characters than this in one event are no answer of a model. */
const MAX_EVENT = 4 * 1024 * 1024

/** Whether an answer of this `Content-Type` is a stream of events; media types know no case (RFC 9110 §8.3.1). */
export const isEventStream = (contentType: string | null): boolean =>
  contentType?.split(';', 1)[0]?.trim().toLowerCase() === 'text/event-stream'

/** Reads the events of a stream as its text comes, whatever its lines end with and however it is cut. */
export class ServerEvents {
  /** Of a line that is not complete. */
  #rest = ''
  #isBehindCr = false
  #event = 'message'
  #data: string[] = []
  #size = 0

  /** The events that a piece of the stream completes. Throws when one is larger than 4 MiB. */
  push(piece: string): ServerEvent[] {
    if (piece === '') return []
    // The second half of a CRLF, of which the first has ended its line already.
    const text = this.#isBehindCr && piece.startsWith('\n') ? piece.slice(1) : piece
    this.#isBehindCr = piece.endsWith('\r')
    const lines = (this.#rest + text).split(/\r\n|\n|\r/)
    this.#rest = lines.pop() ?? ''
    const events = lines.flatMap((line) => this.#take(line))
    if (this.#rest.length + this.#size > MAX_EVENT) throw new Error('An event of the answer never ended.')
    return events
  }

  /** To be called at the end of the stream: its last event, where no blank line came behind it. */
  end(): ServerEvent[] {
    return [...this.#take(this.#rest), ...this.#take('')]
  }

  #take(line: string): ServerEvent[] {
    if (line === '') {
      const events = this.#data.length === 0 ? [] : [{ event: this.#event, data: this.#data.join('\n') }]
      this.#event = 'message'
      this.#data = []
      this.#size = 0
      return events
    }
    const by = CONTINUED.exec(line)?.[1]
    if (by !== undefined) return [{ event: 'ocf-continued', data: by }]
    const [, field, value = ''] = /^([^:]*):? ?(.*)$/s.exec(line) ?? []
    if (field === 'event') this.#event = value
    if (field !== 'data') return []
    this.#data.push(value)
    this.#size += value.length
    return []
  }
}

/** What one event of a chat, or its whole answer, says. */
export interface ChatPiece {
  text: string
  /** What a model thinks before it answers. */
  reasoning: string
  /** Tokens of the answer, where the server counts them. */
  tokens: number | undefined
  /** Peer id of who goes on with the answer from here. */
  continuedBy: string | undefined
  /** The answer is complete with it. */
  isEnd: boolean
  /** Nothing comes behind it. */
  isLast: boolean
  error: { message: string; code: string } | undefined
}

const NOTHING: ChatPiece = {
  ...{
    text: '',
    reasoning: '',
    tokens: undefined,
    continuedBy: undefined,
    isEnd: false,
    isLast: false,
    error: undefined,
  },
}

/** What an event of a chat says; undefined where it is cut off, or is no chat at all. */
export function readChatEvent({ event, data }: ServerEvent): ChatPiece | undefined {
  if (event === 'ocf-continued') return { ...NOTHING, continuedBy: data }
  if (data.trim() === '[DONE]') return { ...NOTHING, isEnd: true, isLast: true }
  const value = parsed(data)
  if (event === 'error') return { ...NOTHING, error: errorOf(member(value, 'error') ?? value ?? data) }
  return value === undefined ? undefined : readChat(value)
}

/** What a value of a chat says, as OpenAI's interface writes it: of a stream, or a whole answer. */
export function readChat(value: unknown): ChatPiece {
  const error = member(value, 'error')
  if (error !== undefined && error !== null) return { ...NOTHING, error: errorOf(error) }
  const choices = member(value, 'choices')
  const choice: unknown = Array.isArray(choices) ? choices[0] : undefined
  const said = member(choice, 'delta') ?? member(choice, 'message')
  const tokens = member(member(value, 'usage'), 'completion_tokens')
  return {
    ...NOTHING,
    text: textOf(member(said, 'content')),
    reasoning: textOf(member(said, 'reasoning_content') ?? member(said, 'reasoning')),
    tokens: typeof tokens === 'number' ? tokens : undefined,
    isEnd: typeof member(choice, 'finish_reason') === 'string',
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function member(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? (Reflect.get(value, name) as unknown) : undefined
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Servers write a sentence or an object, and numbers for codes. */
function errorOf(error: unknown): { message: string; code: string } {
  const message = typeof error === 'string' ? error : member(error, 'message')
  const code = member(error, 'code') ?? member(error, 'type')
  return {
    message: typeof message === 'string' && message !== '' ? message : JSON.stringify(error).slice(0, 500),
    code: typeof code === 'string' || typeof code === 'number' ? String(code) : 'upstream_failed',
  }
}
