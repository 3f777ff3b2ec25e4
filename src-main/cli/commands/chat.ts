import { Agent, fetch, type Response } from 'undici'
import { z } from 'zod'
import { AppError } from '#shared/errors.js'
import { printable } from '../../logging/index.js'
import { EXIT, type CliIo, type ControlClient } from '../io.js'

/** What `ocf chat` is asked for. */
export interface ChatOptions {
  model: string
  text: string
}

const ErrorSchema = z.object({ error: z.object({ message: z.string(), code: z.string().nullish() }) })
const AnswerSchema = z.object({
  choices: z
    .array(
      z.object({
        delta: z.object({ content: z.string().nullish() }).optional(),
        message: z.object({ content: z.string().nullish() }).optional(),
      }),
    )
    .default([]),
  usage: z.object({ completion_tokens: z.number().optional() }).nullish(),
})

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
  if (!(response.headers.get('content-type') ?? '').startsWith('text/event-stream')) {
    answer.add(await response.json())
    answer.end(response.headers)
    return EXIT.ok
  }
  // undici's streams carry bytes; its types say any.
  for await (const { event, data } of sseEvents((response.body ?? []) as AsyncIterable<Uint8Array>)) {
    if (data === '[DONE]') {
      answer.end(response.headers)
      return EXIT.ok
    }
    const chunk: unknown = JSON.parse(data)
    if (event === 'error' || ErrorSchema.safeParse(chunk).success) {
      answer.breakOff()
      return refused(io, response.status, data)
    }
    answer.add(chunk)
  }
  answer.breakOff()
  throw brokenOff()
}

/** Prints the text of an answer and keeps count. */
function createAnswer(io: CliIo) {
  const startedAt = performance.now()
  let firstAt: number | undefined
  let pieces = 0
  let reported: number | undefined
  const endLine = (): unknown => pieces > 0 && io.stdout.write('\n')
  return {
    add(chunk: unknown): void {
      const { choices, usage } = AnswerSchema.parse(chunk)
      reported = usage?.completion_tokens ?? reported
      const text = choices[0]?.delta?.content ?? choices[0]?.message?.content ?? ''
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
  const wire = ErrorSchema.safeParse(jsonOf(body)).data?.error
  const sentence = wire === undefined ? `The gateway answered with status ${status}.` : wire.message
  io.stderr.write(`error: ${printable(sentence)} (${printable(wire?.code ?? `status ${status}`)})\n`)
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

/** One event of a server-sent event stream. */
interface SseEvent {
  /** `message` unless the stream names it. */
  event: string
  data: string
}

/** Characters of one event; an answer's events are far smaller. */
const MAX_EVENT = 4 * 1024 * 1024

/** The events of a stream as they come; comments are skipped. Throws when one event is larger than 4 MiB. */
async function* sseEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<SseEvent> {
  let event = 'message'
  let data: string[] = []
  for await (const line of linesOf(body)) {
    if (line === '') {
      if (data.length > 0) yield { event, data: data.join('\n') }
      event = 'message'
      data = []
      continue
    }
    const [, field, value] = /^([^:]*):? ?(.*)$/s.exec(line) ?? []
    if (field === 'event') event = value ?? ''
    if (field === 'data') data.push(value ?? '')
  }
}

async function* linesOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder()
  let rest = ''
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true })
    // A CR at the end may be half of a CRLF.
    const lines = rest.split(/\r\n|\n|\r(?!$)/)
    rest = lines.pop() ?? ''
    if (rest.length > MAX_EVENT) throw new Error('The answer holds an event larger than 4 MiB.')
    yield* lines
  }
}
