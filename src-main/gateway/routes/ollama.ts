import { createHash } from 'node:crypto'
import { z } from 'zod'
import { AppError } from '#shared/errors.js'
import { BoundedMap } from '../../base/bounded-map.js'
import type { MonotonicClock } from '../../base/clock.js'
import { ask } from '../../http-client/index.js'
import { type LocalService, OLLAMA_API, OLLAMA_MODEL_PATHS, parseJson } from '../../services/index.js'
import { missingQuestion } from '../../services/sharing/access/index.js'
import { modelOf, readRoutingBody, type RequestBody, withModel } from '../body/request-body.js'
import { runExchange } from '../forward/exchange.js'
import { answerJson, type Arrival } from '../listener/arrival.js'
import type { GatewayNeeds, GatewayOptions } from '../needs.js'
import { fitting, listModels, type ModelEntry } from '../routing/models-list.js'
import { ollamaModelFor } from '../routing/near-models.js'
import { createGlobalForward } from './global-service.js'
import type { Method, Route } from './route.js'

/** The answer to clients that ask for a least version: the Ollama whose interface this is. */
const OLLAMA_VERSION = '0.12.0'

const MAX_SHOW_BYTES = 64 * 1024

/** How long an Ollama keeps a model in memory after an answer, unless its owner says otherwise. */
const KEPT_LOADED_MS = 5 * 60_000
const MAX_USED = 64

/** A server of this machine says what it runs within so much. */
const RUNNING_WITHIN_MS = 2_000
const MAX_RUNNING_BYTES = 256 * 1024

/** No time at all, as Ollama reads it: a number of seconds, or one with its unit. */
const NO_TIME = /^(?:-?0+(?:\.0+)?|"-?(?:0+(?:\.0+)?(?:ns|us|µs|ms|s|m|h)?)+")$/

/** What Ollama does to its own models, and a network's models can't have done to them. */
const REFUSED: readonly (readonly [Method, string, string])[] = [
  ['POST', '/api/pull', 'pulled here: it is offered by nobody, or is there to be used already'],
  ['POST', '/api/push', 'pushed from here'],
  ['POST', '/api/create', 'created here'],
  ['POST', '/api/copy', 'copied here'],
  ['DELETE', '/api/delete', 'deleted here'],
  ['POST', '/api/blobs/*', 'created here'],
]

/** Ollama's own interface, for the models of every Ollama in the network: a client needs only its host changed. */
export function ollamaRoutes(needs: GatewayNeeds, options: GatewayOptions): Route[] {
  const forward = createGlobalForward(needs, options)
  /** Of an Ollama that is known to be there. */
  const models = (): ModelEntry[] =>
    listModels(needs, 'own').filter(({ id }) => needs.choice.offers('llm', `model=${id}`, OLLAMA_API, isThere))

  const used = new LatelyUsed(needs.monotonic)

  const isThere = (peerId: string): boolean => needs.reachable.has(peerId)

  const ownOllamas = (model?: string): LocalService[] =>
    needs.registry
      .connected('llm')
      .filter(({ identityGroups: groups }) => groups.includes(OLLAMA_API))
      .filter(({ identityGroups: groups }) => model === undefined || groups.includes(`model=${model}`))

  /**
   * To a request that asks for nothing but a model to be loaded, or taken out of memory: when another's computer does
   * that is up to its owner, and a client that gets an error would go no further.
   */
  function loadAnswer(path: string, body: RequestBody): object | undefined {
    const model = modelOf(body)
    if (body.kind !== 'read' || body.json === undefined || model === undefined) return undefined
    if (missingQuestion(path, body.json) === undefined || ownOllamas(model).length > 0) return undefined
    const isEnd = NO_TIME.test(body.json.raw('keep_alive')?.toString('latin1') ?? '')
    if (isEnd) used.forget(model)
    else used.note(model)
    return {
      ...{ model, created_at: new Date().toISOString(), done: true, done_reason: isEnd ? 'unload' : 'load' },
      ...(path === '/api/chat' ? { message: { role: 'assistant', content: '' } } : { response: '' }),
    }
  }

  /** The server's own answer for a model of this machine; of others what the network tells of them. */
  async function show(arrival: Arrival): Promise<void> {
    await runExchange(needs, arrival, { service: 'llm', route: '/api/show' }, async (exchange) => {
      const limits = { maxBytes: MAX_SHOW_BYTES, identityKnown: false, memory: exchange.memory }
      const body = await readRoutingBody(arrival.request, limits)
      const json = body.kind === 'read' ? body.json : undefined
      const wanted = [json?.text('model'), json?.text('name')].find((name) => name !== undefined && name !== '') ?? ''
      const listed = models()
      const find = (id: string | undefined): ModelEntry | undefined => listed.find((entry) => entry.id === id)
      const found = find(wanted) ?? find(ollamaModelFor(needs, wanted))
      if (found === undefined) throw new AppError('model_not_found', `model '${wanted.slice(0, 200)}' not found`)
      const own = ownOllamas(found.id)
      // It may name folders of this machine, which are no business of a web page.
      if (own.length > 0 && arrival.caller === 'program') {
        exchange.body = withModel(body, found.id)
        await needs.forwarder.toOwnServices(exchange, own, '/api/show')
        return
      }
      answerJson(arrival, 200, showOf(found))
      exchange.traffic.finish({ status: 200 })
    })
  }

  /**
   * What runs in this machine's Ollamas, and what others have just answered with: longer than Ollama's own five minutes
   * none of those need be in memory.
   */
  async function running(arrival: Arrival): Promise<void> {
    await runExchange(needs, arrival, { service: 'llm', route: '/api/ps' }, async (exchange) => {
      const own = await Promise.all(ownOllamas().map((service) => runningAt(needs, service)))
      const listed = models()
      // What its person has asked lately is no business of a web page.
      const lately = arrival.caller === 'foreign-page' ? [] : used.list()
      const remote = lately.flatMap(({ model, forMs }) => {
        const entry = listed.find(({ id }) => id === model)
        return entry === undefined || ownOllamas(model).length > 0 ? [] : [runningOf(entry, forMs)]
      })
      answerJson(arrival, 200, { models: [...own.flat(), ...remote] })
      exchange.traffic.finish({ status: 200 })
    })
  }

  const place = (methods: readonly Method[], path: string, summary: string) => ({
    ...{ methods, path, summary },
    listeners: ['local'] as const,
    pages: 'model' as const,
  })

  return [
    ...OLLAMA_MODEL_PATHS.map((path): Route => ({
      ...place(['POST'], path, 'Ollama’s own interface: goes to an Ollama that offers the model.'),
      async forward(arrival) {
        let answering: string | undefined
        await forward(arrival, {
          ...{ service: 'llm', path: arrival.url, route: path },
          also: OLLAMA_API,
          answer(body) {
            const answer = loadAnswer(path, body)
            if (answer === undefined) answering = modelOf(body)
            return answer
          },
        })
        if (answering !== undefined && arrival.response.statusCode === 200) used.note(answering)
      },
    })),
    {
      ...place(['GET', 'HEAD'], '/api/tags', 'The models of every Ollama in the network, as Ollama lists them.'),
      handle(ctx) {
        ctx.body = { models: fitting(models()).map(tagOf) }
      },
    },
    { ...place(['POST'], '/api/show', 'What is known of one of those models.'), forward: show },
    {
      ...place(
        ['GET', 'HEAD'],
        '/api/ps',
        'The models that are in use: in this machine’s Ollamas, and of others what was asked lately.',
      ),
      forward: running,
    },
    {
      ...place(['GET', 'HEAD'], '/api/version', 'The version of Ollama’s interface that is spoken here.'),
      handle(ctx) {
        ctx.body = { version: OLLAMA_VERSION }
      },
    },
    ...REFUSED.map(([method, path, what]): Route => ({
      ...place([method], path, 'Refused: models belong to whoever shares them.'),
      handle() {
        throw new AppError(
          'invalid_request',
          `a model of the network can't be ${what}; use the Ollama of the machine that shares it`,
        )
      },
    })),
  ]
}

/** The models of other peers that have just answered. */
class LatelyUsed {
  readonly #clock: MonotonicClock
  readonly #usedAtMs = new BoundedMap<string, number>(MAX_USED)

  constructor(clock: MonotonicClock) {
    this.#clock = clock
  }

  note(model: string): void {
    this.#usedAtMs.set(model, this.#clock.elapsedMs())
  }

  forget(model: string): void {
    this.#usedAtMs.delete(model)
  }

  /** With how long each is likely to stay in memory. */
  list(): { model: string; forMs: number }[] {
    const nowMs = this.#clock.elapsedMs()
    return [...this.#usedAtMs]
      .map(([model, usedAtMs]) => ({ model, forMs: usedAtMs + KEPT_LOADED_MS - nowMs }))
      .filter(({ forMs }) => forMs > 0)
  }
}

/** As `/api/ps` tells it; where in its machine's memory it lies is not known, and most lie with the graphics card. */
function runningOf(entry: ModelEntry, forMs: number): object {
  const { name, model, size, digest, details } = tagOf(entry)
  const { context_length } = entry.ocf
  return {
    ...{ name, model, size, digest, details, size_vram: size, context_length },
    expires_at: new Date(Date.now() + forMs).toISOString(),
  }
}

const RunningSchema = z.object({ models: z.array(z.looseObject({ name: z.string() })) })

/** What a server of this machine has in memory; nothing where it does not say so in time. */
async function runningAt(
  { localClients, registry }: Pick<GatewayNeeds, 'localClients' | 'registry'>,
  { id, host, port }: LocalService,
): Promise<object[]> {
  const key = registry.apiKey(id)
  const request = {
    ...{ host: `${host}:${port}`, path: '/api/ps', maxBytes: MAX_RUNNING_BYTES },
    signal: AbortSignal.timeout(RUNNING_WITHIN_MS),
    ...(key === undefined ? {} : { headers: { authorization: `Bearer ${key}` } }),
  }
  const answer = await ask(localClients.to({ host, port }), request).catch(() => undefined)
  return RunningSchema.safeParse(parseJson(answer?.text ?? '')).data?.models ?? []
}

const modifiedAt = ({ created }: ModelEntry): string => new Date(created * 1000).toISOString()

function detailsOf({ ocf }: ModelEntry): object {
  const { format = '', family = '', parameters = '', quantization = '', context_length } = ocf
  const families = family === '' ? [] : [family]
  return {
    ...{ parent_model: '', format, family, families, parameter_size: parameters, quantization_level: quantization },
    ...(context_length === undefined ? {} : { context_length }),
  }
}

/** Ollama's own client cuts a digest to 12 characters, and crashes at one that is shorter. */
const isShown = (digest: string | undefined): digest is string => digest !== undefined && digest.length >= 12

/** Clients shorten the digest and tell models apart by it; where none is known it is one of the name. */
const tagOf = (entry: ModelEntry) => ({
  name: entry.id,
  model: entry.id,
  modified_at: modifiedAt(entry),
  size: entry.ocf.size ?? 0,
  digest: isShown(entry.ocf.digest) ? entry.ocf.digest : createHash('sha256').update(entry.id).digest('hex'),
  details: detailsOf(entry),
  ...(entry.ocf.capabilities === undefined ? {} : { capabilities: entry.ocf.capabilities }),
})

function showOf(entry: ModelEntry): object {
  const { family = 'unknown', context_length: contextLength, capabilities = ['completion'] } = entry.ocf
  return {
    ...{ modelfile: '', parameters: '', template: '', details: detailsOf(entry), capabilities },
    model_info: {
      'general.architecture': family,
      ...(contextLength === undefined ? {} : { [`${family}.context_length`]: contextLength }),
    },
    modified_at: modifiedAt(entry),
  }
}
