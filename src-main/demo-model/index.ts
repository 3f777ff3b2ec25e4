import { once } from 'node:events'
import { createServer } from 'node:http'
import { AppError } from '#shared/errors.js'
import { SETTINGS } from '../config/index.js'
import type { Log } from '../logging/index.js'
import type { Service } from '../base/lifecycle.js'
import { readCorpus } from './corpus.js'
import { learn } from './language-model.js'
import { createRequestHandler } from './request-handler.js'
import { createSlots } from './slots.js'

/** How the demo model server works. */
export interface DemoModelOptions {
  /** 0 (default) is any free port. */
  port?: number
  /** Default 127.0.0.1. */
  host?: string
  /** The setting's default unless given; 0 is as fast as possible. */
  tokensPerSecond?: number
  /** Default `ocf-demo`. */
  modelId?: string
  /** Answers written at the same time (default 4); up to 64 more wait in the order they came. */
  slots?: number
}

/** What happens to a request, told in this order: received, started, tokens, then finished, refused or aborted. */
export interface DemoModelEvents {
  onRequest?(request: DemoRequest): void
  /** It got a slot. */
  onStarted?(request: DemoRequest): void
  onToken?(request: DemoRequest): void
  onFinished?(request: DemoRequest): void
  /** It was answered with an error; for one that could not be understood, nothing was told before. */
  onRefused?(request: DemoRequest): void
  /** The client of a received request went away; no token follows, and the slot is free. */
  onAborted?(request: DemoRequest): void
}

/** One request, for {@link DemoModelEvents}. */
export interface DemoRequest {
  /** 1 for the first request of this server. */
  id: number
  path: string
  model: string
}

/** A running demo model. */
export interface DemoModelServer extends Service {
  /** The port it listens on; 0 before it has started. */
  readonly port: number
  readonly modelId: string
}

/** The model id the demo model goes by unless told otherwise. */
export const DEMO_MODEL_ID = 'ocf-demo'

const MAX_WAITING = 64

/** An OpenAI-compatible server for a small word model that has read this project's own pages, and says so. */
export function createDemoModelServer(
  needs: { log: Log; events?: DemoModelEvents },
  options: DemoModelOptions = {},
): DemoModelServer {
  const log = needs.log.forComponent('demo-model')
  const modelId = options.modelId ?? DEMO_MODEL_ID
  const host = options.host ?? '127.0.0.1'
  const slots = createSlots({ places: options.slots ?? 4, queue: MAX_WAITING })
  const server = createServer({ keepAliveTimeout: 60_000 })
  const stopped = new AbortController()
  let port = 0
  let stopping: Promise<void> | undefined

  async function stop(): Promise<void> {
    stopped.abort(new Error('the demo model is stopping'))
    if (!server.listening) return
    const closed = once(server, 'close')
    server.close()
    server.closeAllConnections()
    await closed
  }

  return {
    name: 'demo-model',
    modelId,
    get port() {
      return port
    },
    async start(signal) {
      signal.throwIfAborted()
      const model = learn(readCorpus())
      const handle = createRequestHandler(
        { log, model, slots, events: needs.events ?? {}, stopping: stopped.signal },
        { modelId, tokensPerSecond: options.tokensPerSecond ?? SETTINGS['demo-model.tokens-per-second'].default },
      )
      server.on('request', (request, response) => {
        handle(request, response).catch((error: unknown) => {
          log.error('a request to the demo model failed', { error })
          response.destroy()
        })
      })
      server.listen(options.port ?? 0, host)
      try {
        await once(server, 'listening', { signal })
      } catch (error) {
        server.close()
        throw listenError(error, options.port ?? 0)
      }
      const address = server.address()
      port = typeof address === 'object' && address !== null ? address.port : 0
      log.info('the demo model is ready', { port, words: model.vocabularySize })
    },
    stop() {
      stopping ??= stop()
      return stopping
    },
  }
}

function listenError(error: unknown, port: number): unknown {
  const isTaken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE'
  return isTaken ? new AppError('port_in_use', `Port ${port} for the demo model is in use.`, { cause: error }) : error
}
