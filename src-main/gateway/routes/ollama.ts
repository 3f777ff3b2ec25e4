import { createHash } from 'node:crypto'
import { AppError } from '#shared/errors.js'
import { type LocalService, OLLAMA_API, OLLAMA_MODEL_PATHS } from '../../services/index.js'
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
    const isEnd = ['0', '"0"', '"0s"'].includes(body.json.raw('keep_alive')?.toString('latin1') ?? '')
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

  /** What runs in this machine's Ollama; what others have in memory is not known. */
  async function running(arrival: Arrival): Promise<void> {
    await runExchange(needs, arrival, { service: 'llm', route: '/api/ps' }, async (exchange) => {
      const own = ownOllamas()
      if (own.length > 0) {
        await needs.forwarder.toOwnServices(exchange, own, '/api/ps')
        return
      }
      answerJson(arrival, 200, { models: [] })
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
      forward: (arrival) =>
        forward(arrival, {
          ...{ service: 'llm', path: arrival.url, route: path },
          also: OLLAMA_API,
          answer: (body) => loadAnswer(path, body),
        }),
    })),
    {
      ...place(['GET', 'HEAD'], '/api/tags', 'The models of every Ollama in the network, as Ollama lists them.'),
      handle(ctx) {
        ctx.body = { models: fitting(models()).map(tagOf) }
      },
    },
    { ...place(['POST'], '/api/show', 'What is known of one of those models.'), forward: show },
    { ...place(['GET', 'HEAD'], '/api/ps', 'The models that this machine’s Ollama has in memory.'), forward: running },
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

const modifiedAt = ({ created }: ModelEntry): string => new Date(created * 1000).toISOString()

function detailsOf({ ocf }: ModelEntry): object {
  const { format = '', family = '', parameters = '', quantization = '', context_length } = ocf
  const families = family === '' ? [] : [family]
  return {
    ...{ parent_model: '', format, family, families, parameter_size: parameters, quantization_level: quantization },
    ...(context_length === undefined ? {} : { context_length }),
  }
}

/** Clients shorten the digest and tell models apart by it; where none is known it is one of the name. */
const tagOf = (entry: ModelEntry) => ({
  name: entry.id,
  model: entry.id,
  modified_at: modifiedAt(entry),
  size: entry.ocf.size ?? 0,
  digest: entry.ocf.digest ?? createHash('sha256').update(entry.id).digest('hex'),
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
