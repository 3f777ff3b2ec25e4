import { Agent, fetch, type Response } from 'undici'
import { type ChatPiece, isEventStream, readChat, readChatEvent, ServerEvents } from '#shared/chat-events.js'
import { AppError } from '#shared/errors.js'
import { printable } from '../../logging/index.js'
import { EXIT, type CliIo, type ControlClient } from '../io.js'

/** What `ocf chat` is asked for. */
export interface ChatOptions {
  model: string
  text: string
}

/**
 * `ocf chat MODEL TEXT`: the answer on standard output as it comes, then on standard error who gave it and how fast.
 * Ctrl-C ends the request. Rejects with `node_not_running` where no node runs.
 */
export async function runChat(needs: { io: CliIo; client: ControlClient }, options: ChatOptions): Promise<number> {
  const { io, client } = needs
  const { gatewayUrl } = await client.call('node.status', {})
  if (gatewayUrl === null)
    throw new AppError('no_provider', "The node's gateway is not listening yet. Try again in a moment.")
  const { key } = await client.call('keys.own', {})
  const abort = new AbortController()
  const stopListening = io.onInterrupt(() => abort.abort())
  // undici's own limits of 300 s would cut slow models off.
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 })
  try {
    const response = await fetch(`${gatewayUrl}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        ...{ 'Content-Type': 'application/json', Accept: 'text/event-stream' },
        ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify({ model: options.model, messages: [{ role: 'user', content: options.text }], stream: true }),
      signal: abort.signal,
      dispatcher,
    })
    return await printAnswer(io, response)
  } catch (error) {
    if (abort.signal.aborted) return interrupted(io)
    if (error instanceof TypeError) throw brokenOff(error)
    throw error
  } finally {
    stopListening()
    await dispatcher.destroy()
  }
}

async function printAnswer(io: CliIo, response: Response): Promise<number> {
  if (!response.ok) return refused(io, response.status, await response.text())
  const answer = createAnswer(io)
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
function createAnswer(io: CliIo) {
  const startedAt = performance.now()
  let firstAt: number | undefined
  let pieces = 0
  let reported: number | undefined
  const endLine = (): unknown => pieces > 0 && io.stdout.write('\n')
  return {
    add({ text, tokens }: ChatPiece): void {
      reported = tokens ?? reported
      if (text === '') return
      firstAt ??= performance.now()
      pieces += 1
      io.stdout.write(io.stdout.isTTY === true ? printable(text, '\n\r\t') : text)
    },
    breakOff(): void {
      endLine()
    },
    end(headers: Response['headers']): void {
      endLine()
      const seconds = (performance.now() - (firstAt ?? startedAt)) / 1000
      const tokens = reported ?? pieces
      const facts = [
        `answered by ${printable(headers.get('x-computing-node') ?? 'an unnamed node')}`,
        `${tokens} tokens`,
        ...(tokens > 1 && seconds > 0 ? [`${((tokens - 1) / seconds).toFixed(1)} tokens/s`] : []),
        `first after ${(((firstAt ?? performance.now()) - startedAt) / 1000).toFixed(2)} s`,
      ]
      io.stderr.write(`${facts.join(' · ')}\n`)
    },
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
