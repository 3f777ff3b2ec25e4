import { randomUUID } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { AppError, toWireError } from '#shared/errors.js'
import type { Log } from '../logging/index.js'
import type { Ask } from './answer-format.js'
import { readEmbeddings } from './embeddings.js'
import { readChat } from './formats/chat.js'
import { readCompletion } from './formats/completions.js'
import { readMessages } from './formats/messages.js'
import { readResponses } from './formats/responses.js'
import { generate, type GenerationSummary } from './generation.js'
import { isGone, openEventStream, readJson, sendEvents, sendJson, signalOf } from './http-exchange.js'
import type { DemoModelEvents, DemoRequest } from './index.js'
import type { LanguageModel } from './language-model.js'
import type { Slots } from './slots.js'

/** What the handler works with. */
export interface HandlerNeeds {
  log: Log
  model: LanguageModel
  slots: Slots
  events: DemoModelEvents
  stopping: AbortSignal
}

type ReadAsk = (body: unknown, identity: { id: string; createdS: number }) => Ask

const WRITERS: Readonly<Record<string, ReadAsk>> = {
  '/v1/chat/completions': readChat,
  '/v1/completions': readCompletion,
  '/v1/responses': readResponses,
  '/v1/messages': readMessages,
}

const EMBEDDINGS = '/v1/embeddings'

/** Answers one request after another; the returned promise is fulfilled when the answer has ended, well or not. */
export function createRequestHandler(
  needs: HandlerNeeds,
  options: { modelId: string; tokensPerSecond: number },
): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const startedAtS = Math.floor(Date.now() / 1000)
  let requests = 0

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = (request.url ?? '/').split('?', 1)[0] ?? '/'
    const told: DemoRequest = { id: (requests += 1), path, model: '' }
    const signal = signalOf(response, needs.stopping)
    try {
      await route(request, response, told, signal)
    } catch (error) {
      if (signal.aborted || isGone(request, response)) leave(response, told)
      else refuse(response, told, error)
    }
  }

  async function route(request: IncomingMessage, response: ServerResponse, told: DemoRequest, signal: AbortSignal) {
    if (told.path === '/health') {
      allow(request, 'GET')
      sendJson(response, 200, { status: 'ok' })
      return
    }
    if (told.path === '/v1/models') {
      allow(request, 'GET')
      const model = { id: options.modelId, object: 'model', created: startedAtS, owned_by: 'open-compute-demo' }
      sendJson(response, 200, { object: 'list', data: [model] })
      return
    }
    const read = Object.hasOwn(WRITERS, told.path) ? WRITERS[told.path] : undefined
    if (read === undefined && told.path !== EMBEDDINGS) {
      throw new AppError('not_found', `The demo model has no ${told.path}.`)
    }
    allow(request, 'POST')
    const body = await readJson(request)
    if (read === undefined) {
      answerEmbeddings(body, response, told)
      return
    }
    const identity = { id: randomUUID().replaceAll('-', ''), createdS: Math.floor(Date.now() / 1000) }
    await write(read(body, identity), response, told, signal)
  }

  function answerEmbeddings(body: unknown, response: ServerResponse, told: DemoRequest): void {
    const ask = readEmbeddings(body)
    admit(ask.model, told)
    sendJson(response, 200, ask.answer())
    needs.events.onFinished?.(told)
  }

  async function write(ask: Ask, response: ServerResponse, told: DemoRequest, signal: AbortSignal): Promise<void> {
    admit(ask.model, told)
    const release = await needs.slots.acquire(signal)
    if (release === 'full') {
      throw new AppError('no_provider', 'The demo model is busy and its queue is full.', { retryAfterS: 1 })
    }
    try {
      needs.events.onStarted?.(told)
      await (ask.stream ? stream(ask, response, told, signal) : sendWhole(ask, response, told, signal))
    } finally {
      release()
    }
    needs.events.onFinished?.(told)
  }

  async function stream(ask: Ask, response: ServerResponse, told: DemoRequest, signal: AbortSignal): Promise<void> {
    openEventStream(response)
    await sendEvents(response, ask.format.begin(), signal)
    const { text, summary } = await run(ask, told, signal, (piece) =>
      sendEvents(response, ask.format.piece(piece), signal),
    )
    await sendEvents(response, ask.format.end(text, summary), signal)
    response.end()
  }

  async function sendWhole(ask: Ask, response: ServerResponse, told: DemoRequest, signal: AbortSignal): Promise<void> {
    const { text, summary } = await run(ask, told, signal, () => Promise.resolve())
    sendJson(response, 200, ask.format.whole(text, summary))
  }

  async function run(
    ask: Ask,
    told: DemoRequest,
    signal: AbortSignal,
    onPiece: (piece: string) => Promise<void>,
  ): Promise<{ text: string; summary: GenerationSummary }> {
    const onToken = (): void => needs.events.onToken?.(told)
    const pieces = generate({ model: needs.model, signal, onToken }, ask.generation, options)
    let text = ''
    for (;;) {
      const next = await pieces.next()
      if (next.done === true) return { text, summary: next.value }
      text += next.value
      await onPiece(next.value)
    }
  }

  function admit(model: string, told: DemoRequest): void {
    told.model = model
    needs.events.onRequest?.(told)
    if (model !== options.modelId) {
      throw new AppError('model_not_found', `There is no model "${model}" here, only "${options.modelId}".`, {
        param: 'model',
      })
    }
  }

  function leave(response: ServerResponse, told: DemoRequest): void {
    response.destroy()
    if (told.model !== '') needs.events.onAborted?.(told)
  }

  function refuse(response: ServerResponse, told: DemoRequest, error: unknown): void {
    if (!(error instanceof AppError)) needs.log.error('the demo model could not answer', { path: told.path, error })
    needs.events.onRefused?.(told)
    if (response.headersSent) {
      response.destroy()
      return
    }
    const known =
      error instanceof AppError ? error : new AppError('internal', 'The demo model failed; its log says why.')
    const wire = toWireError(known, randomUUID())
    const body = told.path === '/v1/messages' ? { type: 'error', ...wire } : wire
    const retry: Record<string, string> =
      known.retryAfterS === undefined ? {} : { 'retry-after': String(known.retryAfterS) }
    sendJson(response, known.status, body, { ...retry, connection: 'close' })
  }

  return handle
}

function allow(request: IncomingMessage, method: 'GET' | 'POST'): void {
  const isAllowed = request.method === method || (method === 'GET' && request.method === 'HEAD')
  if (!isAllowed) throw new AppError('method_not_allowed', `Use ${method} here, not ${request.method ?? 'that'}.`)
}
