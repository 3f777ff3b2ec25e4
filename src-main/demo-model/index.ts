import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { AppError, toWireError } from '#shared/errors.js'
import type { Service } from '../base/lifecycle.js'
import { SETTINGS } from '../config/index.js'
import type { Log } from '../logging/index.js'
import { writeAnswer, type AnswerSummary } from './answer.js'
import { readChat, readCompletion, type Ask } from './openai-api.js'
import { Slots } from './slots.js'

/** How the demo model server works. */
export interface DemoModelOptions {
  /** The setting's default unless given; 0 is as fast as possible. */
  tokensPerSecond?: number
  /** Default `ocf-demo`. */
  modelId?: string
  /** Answers written at the same time (default 4); up to 64 more wait in the order they came. */
  slots?: number
}

/** One request, as an observer hears of it. */
export interface DemoRequest {
  /** 1 for the first request of this server. */
  id: number
  path: string
  model: string
}

/**
 * What became of a request, in this order: `request` (it was understood), `started` (it has a slot), `token` for each,
 * and in the end `finished`, `refused` (also one that could not be understood) or `aborted` (its client went away; its
 * slot is free).
 */
export type DemoRequestEvent = 'request' | 'started' | 'token' | 'finished' | 'refused' | 'aborted'

/** A running demo model. */
export interface DemoModelServer extends Service {
  /** The port it listens on, on 127.0.0.1; 0 before it has started. */
  readonly port: number
  readonly modelId: string
}

/** What a demo model works with. */
export interface DemoModelNeeds {
  log: Log
  observe?: (event: DemoRequestEvent, request: DemoRequest) => void
}

const DEMO_MODEL_ID = 'ocf-demo'
const MAX_WAITING = 64
const MAX_BODY_BYTES = 16 * 1024 * 1024
const READERS = new Map([
  ['/v1/chat/completions', readChat],
  ['/v1/completions', readCompletion],
])

/** An OpenAI-compatible server (chat, completions, list of models) that answers with sentences about this project. */
export function createDemoModelServer(needs: DemoModelNeeds, options: DemoModelOptions = {}): DemoModelServer {
  return new DemoModel(needs, options)
}

class DemoModel implements DemoModelServer {
  readonly name = 'demo-model'
  readonly modelId: string
  readonly #log: Log
  readonly #observe: NonNullable<DemoModelNeeds['observe']>
  readonly #options: DemoModelOptions
  readonly #slots: Slots
  readonly #server = createServer({ keepAliveTimeout: 60_000 })
  readonly #stopped = new AbortController()
  readonly #startedAtS = Math.floor(Date.now() / 1000)
  #port = 0
  #requests = 0
  #stopping: Promise<void> | undefined

  constructor(needs: DemoModelNeeds, options: DemoModelOptions) {
    this.#log = needs.log.forComponent('demo-model')
    this.#observe = needs.observe ?? (() => undefined)
    this.#options = options
    this.#slots = new Slots(options.slots ?? 4, MAX_WAITING)
    this.modelId = options.modelId ?? DEMO_MODEL_ID
  }

  get port(): number {
    return this.#port
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.#server.on('request', (request, response) => void this.#handle(request, response))
    this.#server.listen(0, '127.0.0.1')
    try {
      await once(this.#server, 'listening', { signal })
    } catch (error) {
      this.#server.close()
      throw error
    }
    const address = this.#server.address()
    this.#port = typeof address === 'object' && address !== null ? address.port : 0
    this.#log.info('the demo model is ready', { port: this.#port })
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#close()
    return this.#stopping
  }

  async #close(): Promise<void> {
    this.#stopped.abort(new Error('the demo model is stopping'))
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
    const seen: DemoRequest = { id: (this.#requests += 1), path, model: '' }
    const gone = new AbortController()
    response.once('close', () => {
      if (!response.writableFinished) gone.abort(new Error('the client went away'))
    })
    const signal = AbortSignal.any([gone.signal, this.#stopped.signal])
    try {
      await this.#route(request, response, seen, signal)
    } catch (error) {
      // A broken upload is noticed before the answer's end.
      const isGone = signal.aborted || response.destroyed || (request.destroyed && !request.complete)
      if (!isGone) this.#refuse(response, seen, error)
      else {
        response.destroy()
        if (seen.model !== '') this.#observe('aborted', seen)
      }
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse, seen: DemoRequest, signal: AbortSignal) {
    const read = READERS.get(seen.path)
    if (read !== undefined) {
      allow(request, 'POST')
      await this.#answer(read(await readJson(request)), response, seen, signal)
    } else if (seen.path === '/health') {
      allow(request, 'GET')
      sendJson(response, 200, { status: 'ok' })
    } else if (seen.path === '/v1/models') {
      allow(request, 'GET')
      const model = { id: this.modelId, object: 'model', created: this.#startedAtS, owned_by: 'open-compute-demo' }
      sendJson(response, 200, { object: 'list', data: [model] })
    } else throw new AppError('not_found', `The demo model only chats and completes; it has no ${seen.path}.`)
  }

  async #answer(ask: Ask, response: ServerResponse, seen: DemoRequest, signal: AbortSignal): Promise<void> {
    seen.model = ask.model
    this.#observe('request', seen)
    if (ask.model !== this.modelId) {
      const message = `There is no model "${ask.model}" here, only "${this.modelId}".`
      throw new AppError('model_not_found', message, { param: 'model' })
    }
    const release = await this.#slots.acquire(signal)
    if (release === 'full') {
      throw new AppError('no_provider', 'The demo model is busy and its queue is full.', { retryAfterS: 1 })
    }
    try {
      this.#observe('started', seen)
      await this.#write(ask, response, seen, signal)
    } finally {
      release()
    }
    this.#observe('finished', seen)
  }

  async #write(ask: Ask, response: ServerResponse, seen: DemoRequest, signal: AbortSignal): Promise<void> {
    const { tokensPerSecond = SETTINGS['demo-model.tokens-per-second'].default } = this.#options
    const onToken = (): void => this.#observe('token', seen)
    const pieces = writeAnswer(ask.answer, { tokensPerSecond, signal, onToken })
    if (ask.stream) {
      response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
      response.flushHeaders()
    }
    let text = ''
    let next: IteratorResult<string, AnswerSummary>
    while ((next = await pieces.next()).done !== true) {
      if (ask.stream) await sendEvent(response, ask.event(next.value), signal)
      else text += next.value
    }
    if (!ask.stream) {
      sendJson(response, 200, ask.whole(text, next.value))
      return
    }
    const closing = [ask.event(undefined, next.value), ...ask.usageEvent(next.value)]
    for (const event of closing) await sendEvent(response, event, signal)
    response.end('data: [DONE]\n\n')
  }

  #refuse(response: ServerResponse, seen: DemoRequest, error: unknown): void {
    if (!(error instanceof AppError)) this.#log.error('the demo model could not answer', { path: seen.path, error })
    this.#observe('refused', seen)
    if (response.headersSent) {
      response.destroy()
      return
    }
    const known =
      error instanceof AppError ? error : new AppError('internal', 'The demo model failed; its log says why.')
    const retry: Record<string, string> =
      known.retryAfterS === undefined ? {} : { 'retry-after': String(known.retryAfterS) }
    sendJson(response, known.status, toWireError(known, randomUUID()), { ...retry, connection: 'close' })
  }
}

function allow(request: IncomingMessage, method: 'GET' | 'POST'): void {
  const isAllowed = request.method === method || (method === 'GET' && request.method === 'HEAD')
  if (!isAllowed) throw new AppError('method_not_allowed', `Use ${method} here, not ${request.method ?? 'that'}.`)
}

/** The request's JSON. What is too much is read and thrown away, or the client would not get to read why. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size <= MAX_BODY_BYTES) chunks.push(chunk)
  }
  if (size > MAX_BODY_BYTES) throw new AppError('body_too_large', `The body is larger than ${MAX_BODY_BYTES} bytes.`)
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (error) {
    throw new AppError('invalid_json', 'The body is not valid JSON.', { cause: error })
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length, ...headers })
  response.end(bytes)
}

/** Sends an event and waits while the client reads slower than they come. */
async function sendEvent(response: ServerResponse, data: unknown, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted()
  if (!response.write(`data: ${JSON.stringify(data)}\n\n`)) await once(response, 'drain', { signal })
}
