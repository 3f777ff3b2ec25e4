import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { z } from 'zod'
import { AppError } from '#shared/errors.js'
import type { ModelSpeed } from '#shared/model-facts.js'
import type { Service } from '../../base/lifecycle.js'
import type { Log } from '../../logging/index.js'
import { bodyOf, jsonIn, sendError, sendJson } from '../json-http.js'
import type { Lease } from './served-model.js'

/** A model as the list tells of it. */
interface ListedServed {
  name: string
  contextTokens: number | null
  sizeBytes: number
  /** As the benchmark measured it; null before. */
  speed: ModelSpeed | null
}

/** What the front asks of the models. */
export interface FrontNeeds {
  log: Log
  list: () => readonly ListedServed[]
  /** Rejects with `model_not_found` and with what {@link Lease} can't be had for. */
  lease: (model: string, signal: AbortSignal) => Promise<Lease>
  /** A text for Prometheus. */
  metrics: () => string
}

/** The one server of all served models, on loopback, with a key of its own. */
export interface Front extends Service {
  readonly port: number
  readonly key: string
}

/** What it passes on to the process that has the model. */
const FORWARDED = new Set(['/v1/chat/completions', '/v1/completions', '/v1/embeddings'])
/** Requests it holds at once, those that wait for a model to be loaded included. */
const MAX_REQUESTS = 128

const NamedSchema = z.object({ model: z.string({ error: 'is missing' }).min(1).max(300) })

/** A server for the served models; it holds no model itself and costs nothing while nobody asks. */
export function createFront(needs: FrontNeeds): Front {
  return new EngineFront(needs)
}

class EngineFront implements Front {
  readonly name = 'engine-front'
  readonly key = randomBytes(24).toString('base64url')
  readonly #needs: FrontNeeds
  readonly #server = createServer({ keepAliveTimeout: 60_000 })
  readonly #agent = new Agent({ keepAlive: true, maxFreeSockets: 8 })
  readonly #stopped = new AbortController()
  readonly #startedAtS = Math.floor(Date.now() / 1000)
  #port = 0
  #requests = 0

  constructor(needs: FrontNeeds) {
    this.#needs = needs
  }

  get port(): number {
    return this.#port
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    this.#server.on('request', (request, response) => void this.#handle(request, response))
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    this.#port = typeof address === 'object' && address !== null ? address.port : 0
  }

  async stop(): Promise<void> {
    this.#stopped.abort(new Error('the engine is stopping'))
    this.#agent.destroy()
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController()
    response.once('close', () => {
      if (!response.writableFinished) gone.abort(new Error('the client went away'))
    })
    const signal = AbortSignal.any([gone.signal, this.#stopped.signal])
    try {
      await this.#route(request, response, signal)
    } catch (error) {
      if (signal.aborted || response.headersSent) response.destroy()
      else this.#refuse(response, error)
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
    const call = `${request.method ?? ''} ${path}`
    if (call === 'GET /health') {
      sendJson(response, 200, { status: 'ok' })
      return
    }
    this.#authorize(request)
    if (call === 'GET /v1/models') sendJson(response, 200, { object: 'list', data: this.#list() })
    else if (call === 'GET /metrics') {
      response.writeHead(200, { 'content-type': 'text/plain; version=0.0.4' }).end(this.#needs.metrics())
    } else if (request.method === 'POST' && FORWARDED.has(path)) await this.#forward(path, request, response, signal)
    else throw new AppError('not_found', 'The built-in engine has no such path.')
  }

  #authorize({ headers }: IncomingMessage): void {
    const wanted = Buffer.from(`Bearer ${this.key}`)
    const given = Buffer.from(headers.authorization ?? '')
    if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
      throw new AppError('unauthorized', 'This server is for the node that it is part of.')
    }
  }

  #list(): object[] {
    return this.#needs.list().map(({ name, contextTokens, sizeBytes, speed }) => ({
      ...{ id: name, object: 'model', created: this.#startedAtS, owned_by: 'ocf-engine' },
      meta: { ...(contextTokens === null ? {} : { n_ctx: contextTokens }), size: sizeBytes },
      ...(speed === null ? {} : { speed }),
    }))
  }

  async #forward(path: string, request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    if (this.#requests >= MAX_REQUESTS) {
      throw new AppError('provider_busy', 'Too many requests wait for the engine.', { retryAfterS: 1 })
    }
    this.#requests += 1
    try {
      const body = await bodyOf(request)
      const lease = await this.#needs.lease(modelIn(body), signal)
      try {
        await this.#pass({ path, body, lease, signal }, response)
      } finally {
        lease.release()
      }
    } finally {
      this.#requests -= 1
    }
  }

  async #pass(
    { path, body, lease, signal }: { path: string; body: Buffer; lease: Lease; signal: AbortSignal },
    response: ServerResponse,
  ): Promise<void> {
    const upstream = httpRequest({
      ...{ host: '127.0.0.1', port: lease.port, path, method: 'POST', agent: this.#agent, signal },
      headers: {
        authorization: `Bearer ${lease.token}`,
        'content-type': 'application/json',
        'content-length': body.length,
      },
    })
    upstream.end(body)
    let answer: IncomingMessage
    try {
      ;[answer] = (await once(upstream, 'response')) as [IncomingMessage]
    } catch (cause) {
      throw new AppError('upstream_failed', 'The engine ended before it answered.', { cause })
    }
    const { 'content-type': type = 'application/json', 'retry-after': retry } = answer.headers
    response.writeHead(answer.statusCode ?? 502, {
      'content-type': type,
      ...(retry === undefined ? {} : { 'retry-after': retry }),
    })
    response.flushHeaders()
    await pipeline(answer, response, { signal })
  }

  #refuse(response: ServerResponse, error: unknown): void {
    if (!(error instanceof AppError)) this.#needs.log.error('the engine could not answer', { error })
    sendError(response, error)
  }
}

function modelIn(body: Buffer): string {
  const named = NamedSchema.safeParse(jsonIn(body))
  if (!named.success) throw new AppError('missing_model', 'The field "model" is missing.', { param: 'model' })
  return named.data.model
}
