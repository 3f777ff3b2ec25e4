import { createHash } from 'node:crypto'
import { AppError } from '#shared/errors.js'
import { OLLAMA_API, OLLAMA_MODEL_PATHS } from '../../services/index.js'
import { readBody } from '../body/read-body.js'
import type { RequestBody } from '../body/request-body.js'
import type { GatewayNeeds, GatewayOptions } from '../needs.js'
import { fitting, listModels, type ModelEntry } from '../routing/models-list.js'
import { createGlobalForward } from './global-service.js'
import type { AnsweringRoute, Route } from './route.js'

/** The answer to clients that ask for a least version: the Ollama whose interface this is. */
const OLLAMA_VERSION = '0.12.0'

const MAX_SHOW_BYTES = 64 * 1024

/** Ollama's own interface, for the models of every Ollama in the network: a client needs only its host changed. */
export function ollamaRoutes(needs: GatewayNeeds, options: GatewayOptions): Route[] {
  const forward = createGlobalForward(needs, options)
  const isOffered = (model: string): boolean => needs.choice.offers('llm', `model=${model}`, OLLAMA_API)
  /** Of an Ollama that is known to be there. */
  const models = (): ModelEntry[] =>
    listModels(needs, 'own').filter(({ id }) => needs.choice.offers('llm', `model=${id}`, OLLAMA_API, isThere))

  const isThere = (peerId: string): boolean => needs.reachable.has(peerId)

  /** To Ollama, a name without a tag means `:latest`. */
  function fullName(name: string): string {
    const tagged = `${name}:latest`
    return !name.includes(':') && !isOffered(name) && isOffered(tagged) ? tagged : name
  }

  function withFullName(body: RequestBody): RequestBody {
    if (body.kind !== 'read' || body.json === undefined) return body
    const model = body.json.text('model')
    if (model === undefined || fullName(model) === model) return body
    const json = body.json.with(new Map([['model', JSON.stringify(fullName(model))]]))
    return { ...body, json, bytes: json.bytes }
  }

  const route = (
    methods: Route['methods'],
    path: string,
    summary: string,
    handle: AnsweringRoute['handle'],
  ): Route => ({
    ...{ methods, path, summary, handle },
    listeners: ['local'],
    pages: 'model',
  })

  return [
    ...OLLAMA_MODEL_PATHS.map((path): Route => ({
      methods: ['POST'],
      path,
      listeners: ['local'],
      pages: 'model',
      summary: 'Ollama’s own interface: goes to an Ollama that offers the model.',
      forward: (arrival) =>
        forward(arrival, {
          ...{ service: 'llm', path: arrival.url, route: path },
          also: OLLAMA_API,
          understand: withFullName,
        }),
    })),
    route(['GET', 'HEAD'], '/api/tags', 'The models of every Ollama in the network, as Ollama lists them.', (ctx) => {
      ctx.body = { models: fitting(models()).map(tagOf) }
    }),
    route(['POST'], '/api/show', 'What the network knows of one of those models.', async (ctx) => {
      const { json } = await readBody(ctx.req, { maxBytes: MAX_SHOW_BYTES, json: 'yes' })
      const id = fullName(json?.text('name') ?? json?.text('model') ?? '')
      const found = models().find((entry) => entry.id === id)
      if (found === undefined) throw new AppError('model_not_found', `model '${id.slice(0, 200)}' not found`)
      ctx.body = showOf(found)
    }),
    route(['GET', 'HEAD'], '/api/version', 'The version of Ollama’s interface that is spoken here.', (ctx) => {
      ctx.body = { version: OLLAMA_VERSION }
    }),
  ]
}

const modifiedAt = ({ created }: ModelEntry): string => new Date(created * 1000).toISOString()

const DETAILS = { parent_model: '', format: '', family: '', families: [], parameter_size: '', quantization_level: '' }

/** The network knows neither size nor digest; clients shorten the digest and tell models apart by it. */
const tagOf = (entry: ModelEntry) => ({
  name: entry.id,
  model: entry.id,
  modified_at: modifiedAt(entry),
  size: 0,
  digest: createHash('sha256').update(entry.id).digest('hex'),
  details: DETAILS,
})

const showOf = (entry: ModelEntry) => ({
  modelfile: '',
  parameters: '',
  template: '',
  details: DETAILS,
  model_info: {
    'general.architecture': 'unknown',
    ...(entry.ocf.context_length === undefined ? {} : { 'unknown.context_length': entry.ocf.context_length }),
  },
  capabilities: ['completion'],
  modified_at: modifiedAt(entry),
})
