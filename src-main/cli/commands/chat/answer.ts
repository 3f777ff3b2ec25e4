import { Agent, fetch, type Response } from 'undici'
import { type ChatPiece, isEventStream, readChat, readChatEvent, ServerEvents } from '#shared/chat-events.js'
import { AppError } from '#shared/errors.js'
import { counted, durationText, speedText } from '#shared/figures.js'
import { printable } from '../../../logging/index.js'
import { EXIT, type CliIo } from '../../io.js'

/** One turn of a conversation, as the gateway takes it. */
export interface ChatMessage {
  role: 'system' | 'user' | 'assistant'
  content: string
}

/** The running node's gateway as its own commands use it. */
export interface ChatTarget {
  gatewayUrl: string
  /** Where it asks for one. */
  key: string | null
  /** What a node is called here. */
  labelOf: (peerId: string) => string
}

/** How an answer ended, and what it said until then. */
export interface Answered {
  /** What the program exits with if this was all. */
  code: number
  text: string
}

/**
 * Asks a model and prints the answer on standard output as it comes, then on standard error who gave it and how fast.
 * Ctrl-C ends the request. Throws `upstream_failed` for an answer that breaks off.
 */
export async function printAnswer(
  { io, gatewayUrl, key, labelOf }: ChatTarget & { io: CliIo },
  { model, messages }: { model: string; messages: readonly ChatMessage[] },
): Promise<Answered> {
  const abort = new AbortController()
  const stopListening = io.onInterrupt(() => abort.abort())
  // undici's own limits of 300 s would cut slow models off.
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 })
  const answer = new PrintedAnswer(io, labelOf)
  try {
    const response = await fetch(`${gatewayUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        ...{ 'Content-Type': 'application/json', Accept: 'text/event-stream' },
        ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify({ model, messages, stream: true }),
      signal: abort.signal,
      dispatcher,
    })
    return { code: await print(io, response, answer), text: answer.text }
  } catch (error) {
    if (abort.signal.aborted) return { code: interrupted(io), text: answer.text }
    if (error instanceof TypeError) throw brokenOff(error)
    throw error
  } finally {
    stopListening()
    await dispatcher.destroy()
  }
}

async function print(io: CliIo, response: Response, answer: PrintedAnswer): Promise<number> {
  if (!response.ok) return refused(io, response.status, await response.text())
  let isWhole = false
  for await (const piece of piecesOf(response)) {
    if (piece === undefined) break
    if (piece.error !== undefined) {
      answer.breakOff()
      return failed(io, piece.error)
    }
    answer.add(piece)
    isWhole ||= piece.isEnd
    if (piece.isLast) break
  }
  if (isWhole) {
    answer.end(response.headers)
    return EXIT.ok
  }
  answer.breakOff()
  throw brokenOff()
}

/** What an answer says, as it comes; undefined for what is cut off. */
async function* piecesOf(response: Response): AsyncGenerator<ChatPiece | undefined> {
  if (!isEventStream(response.headers.get('content-type'))) {
    const value = jsonOf(await response.text())
    yield value === undefined ? undefined : { ...readChat(value), isEnd: true, isLast: true }
    return
  }
  const events = new ServerEvents()
  const decoder = new TextDecoder()
  // undici's streams carry bytes; its types say any.
  for await (const bytes of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    for (const event of events.push(decoder.decode(bytes, { stream: true }))) yield readChatEvent(event)
  }
  for (const event of events.end()) yield readChatEvent(event)
}

/** Prints the text of an answer and keeps count. */
class PrintedAnswer {
  readonly #io: CliIo
  readonly #labelOf: ChatTarget['labelOf']
  readonly #startedAt = performance.now()
  #firstAt: number | undefined
  #pieces = 0
  #reported: number | undefined
  #text = ''

  constructor(io: CliIo, labelOf: ChatTarget['labelOf']) {
    this.#io = io
    this.#labelOf = labelOf
  }

  get text(): string {
    return this.#text
  }

  add({ text, tokens }: ChatPiece): void {
    this.#reported = tokens ?? this.#reported
    if (text === '') return
    this.#firstAt ??= performance.now()
    this.#pieces += 1
    this.#text += text
    this.#io.writeData(text)
  }

  breakOff(): void {
    if (this.#pieces > 0) this.#io.stdout.write('\n')
  }

  end(headers: Response['headers']): void {
    this.breakOff()
    const seconds = (performance.now() - (this.#firstAt ?? this.#startedAt)) / 1000
    const tokens = this.#reported ?? this.#pieces
    const servedBy = headers.get('x-computing-node')
    const facts = [
      `answered by ${servedBy === null ? 'an unnamed node' : printable(this.#labelOf(servedBy))}`,
      counted(tokens, 'token'),
      ...(tokens > 1 && seconds > 0 ? [speedText((tokens - 1) / seconds)] : []),
      `first token after ${durationText((this.#firstAt ?? performance.now()) - this.#startedAt)}`,
    ]
    this.#io.stderr.write(`${facts.join(' · ')}\n`)
  }
}

/** What the gateway says went wrong, with its code. */
function refused(io: CliIo, status: number, body: string): number {
  const { error } = readChat(jsonOf(body))
  return failed(io, error ?? { message: `The gateway answered with status ${status}.`, code: `status ${status}` })
}

function failed(io: CliIo, { message, code }: { message: string; code: string }): number {
  io.stderr.write(`error: ${printable(message)} (${printable(code)})\n`)
  return EXIT.failed
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // A proxy's HTML page, say; the status is printed instead.
  }
}

function interrupted(io: CliIo): number {
  io.stderr.write('\nstopped\n')
  return EXIT.interrupted
}

function brokenOff(cause?: unknown): AppError {
  return new AppError('upstream_failed', 'The answer broke off before its end. Ask again.', { cause })
}
