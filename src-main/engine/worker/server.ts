import { timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { AppError } from '#shared/errors.js'
import { bodyOf, jsonIn, sendError, sendJson } from '../json-http.js'
import { type AnswerForms, chatForms, completionForms } from './answers.js'
import { answerChat, answerCompletion, type Answered, type AnswerSink } from './generate.js'
import type { Loaded } from './load.js'
import { type Asked, readChatRequest, readCompletionRequest, readEmbeddingRequest } from './requests.js'

/** Serves a loaded model on loopback. Resolves with the port. `onBroken`: the engine failed in a way it won't recover from. */
export async function serve(
  loaded: Loaded,
  options: { token: string; onBroken: (error: unknown) => void },
): Promise<number> {
  const handler = new RequestHandler(loaded, options)
  const server = createServer(
    { keepAliveTimeout: 60_000 },
    (request, response) => void handler.handle(request, response),
  )
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

class RequestHandler {
  readonly #loaded: Loaded
  readonly #authorization: Buffer
  readonly #onBroken: (error: unknown) => void
  #requests = 0
  #promptTokens = 0
  #completionTokens = 0
  #cancelled = 0

  constructor(loaded: Loaded, { token, onBroken }: { token: string; onBroken: (error: unknown) => void }) {
    this.#loaded = loaded
    this.#authorization = Buffer.from(`Bearer ${token}`)
    this.#onBroken = onBroken
  }

  async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const gone = new AbortController()
    response.once('close', () => {
      if (!response.writableFinished) gone.abort(new Error('the client went away'))
    })
    try {
      this.#authorize(request)
      await this.#route(request, response, gone.signal)
    } catch (error) {
      if (gone.signal.aborted) {
        this.#cancelled += 1
        response.destroy()
        return
      }
      refuse(response, error)
      if (!(error instanceof AppError)) this.#onBroken(error)
    }
  }

  #authorize({ headers }: IncomingMessage): void {
    const given = Buffer.from(headers.authorization ?? '')
    if (given.length !== this.#authorization.length || !timingSafeEqual(given, this.#authorization)) {
      throw new AppError('unauthorized', 'This server is for the node that started it.')
    }
  }

  async #route(request: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const loaded = this.#loaded
    switch (`${request.method ?? ''} ${request.url ?? ''}`) {
      case 'POST /v1/chat/completions': {
        const asked = readChatRequest(jsonIn(await bodyOf(request)))
        await this.#answer(response, asked, chatForms(asked.model), (sink) => answerChat(loaded, asked, sink, signal))
        return
      }
      case 'POST /v1/completions': {
        const asked = readCompletionRequest(jsonIn(await bodyOf(request)))
        const forms = completionForms(asked.model)
        await this.#answer(response, asked, forms, (sink) => answerCompletion(loaded, asked, sink, signal))
        return
      }
      case 'POST /v1/embeddings':
        sendJson(response, 200, await this.#embed(jsonIn(await bodyOf(request)), signal))
        return
      case 'GET /stats':
        sendJson(response, 200, this.#stats())
        return
      default:
        throw new AppError('not_found', 'The engine has no such path.')
    }
  }

  async #answer(
    response: ServerResponse,
    asked: Asked,
    forms: AnswerForms,
    answer: (sink: AnswerSink) => Promise<Answered>,
  ): Promise<void> {
    this.#requests += 1
    const send = (event: object): void => {
      if (!response.headersSent) {
        response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'cache-control': 'no-cache' })
      }
      // What a slow client has not taken is at most one answer, which the context bounds.
      response.write(`data: ${JSON.stringify(event)}\n\n`)
    }
    const said = { text: '', reasoning: '' }
    const collect = (kind: keyof typeof said) => (text: string) => {
      if (asked.stream) send(forms[kind](text))
      else said[kind] += text
    }
    const { reason, tools, usage } = await answer({ text: collect('text'), reasoning: collect('reasoning') })
    this.#promptTokens += usage.promptTokens - usage.cachedTokens
    this.#completionTokens += usage.completionTokens
    if (!asked.stream) {
      sendJson(response, 200, forms.whole({ ...said, reason, tools }, usage))
      return
    }
    send(forms.end(reason, tools))
    if (asked.withUsage) send(forms.usage(usage))
    response.end('data: [DONE]\n\n')
  }

  async #embed(body: unknown, signal: AbortSignal): Promise<object> {
    const { model, input, base64 } = readEmbeddingRequest(body)
    const context = await this.#loaded.embeddings()
    let tokens = 0
    const data: object[] = []
    for (const text of input) {
      signal.throwIfAborted()
      const length = this.#loaded.model.tokenize(text).length
      if (length >= this.#loaded.contextTokens) {
        throw new AppError('context_length_exceeded', `A text has ${length} tokens, more than this model takes.`)
      }
      tokens += length
      const { vector } = await context.getEmbeddingFor(text)
      const embedding = base64 ? Buffer.from(Float32Array.from(vector).buffer).toString('base64') : vector
      data.push({ object: 'embedding', index: data.length, embedding })
    }
    return { object: 'list', model, data, usage: { prompt_tokens: tokens, total_tokens: tokens } }
  }

  #stats(): object {
    const { slots } = this.#loaded
    return {
      ...{ slots: slots.total, busySlots: slots.busy, waiting: slots.waiting, memoryBytes: process.memoryUsage().rss },
      ...{ requests: this.#requests, cancelled: this.#cancelled },
      ...{ promptTokens: this.#promptTokens, completionTokens: this.#completionTokens },
    }
  }
}

function refuse(response: ServerResponse, error: unknown): void {
  if (response.headersSent) response.destroy()
  else sendError(response, error)
}
