import { AppError } from '#shared/errors.js'
import { ANY_SERVICE_PREFIX } from '#shared/routes.js'
import { didYouMean } from '../../config/index.js'
import type { Arrival } from '../listener/arrival.js'
import type { PageState } from '../listener/pages.js'
import { classOf, type GatewayNeeds } from '../needs.js'
import { listModels, type ModelEntry, type ModelPage, pageOf, readPageQuery } from '../routing/models-list.js'
import { nearModels, ollamaModelFor } from '../routing/near-models.js'
import { type AnsweringRoute, FORWARDED_METHODS, type Route } from './route.js'

export function modelsRoutes(needs: GatewayNeeds): Route[] {
  /** Who has the models would tell a web page whose computer this is, and which others it knows. */
  function modelsFor({ listener, caller, request }: Arrival): ModelEntry[] {
    const models = listModels(needs, listener === 'local' ? 'own' : classOf(needs, request.socket.remoteAddress))
    return caller === 'foreign-page'
      ? models.map((model) => ({ ...model, ocf: { ...model.ocf, servers: [] } }))
      : models
  }

  const list: AnsweringRoute['handle'] = (ctx) => {
    const { arrival } = ctx.state as PageState
    if (arrival.caller !== 'foreign-page') ctx.set('X-Computing-Node', needs.host.peerId)
    const { after_id: after, ...query } = ctx.query
    const page = pageOf(modelsFor(arrival), readPageQuery(after === undefined ? query : { ...query, after }))
    ctx.body = arrival.api === 'anthropic' ? toAnthropicPage(page) : page
  }

  return [
    {
      methods: ['GET', 'HEAD'],
      path: '/v1/models',
      listeners: ['local', 'peer'],
      pages: 'model',
      summary: 'Every model that can be routed to now, from the whole network (to a peer: this node’s own).',
      handle: list,
    },
    {
      methods: ['GET', 'HEAD'],
      path: `${ANY_SERVICE_PREFIX}llm/v1/models`,
      listeners: ['local'],
      pages: 'model',
      summary: 'The same list under the long form of the path.',
      handle: list,
    },
    {
      methods: ['GET', 'HEAD'],
      path: '/v1/models/*',
      listeners: ['local', 'peer'],
      pages: 'model',
      summary: 'One model of the list.',
      handle(ctx, params) {
        const id = decodeModelId(params['rest'] ?? '')
        if (id === '') return list(ctx, params)
        const { arrival } = ctx.state as PageState
        const models = modelsFor(arrival)
        const meant = arrival.listener === 'local' ? ollamaModelFor(needs, id) : undefined
        const model = models.find((entry) => entry.id === id) ?? models.find((entry) => entry.id === meant)
        if (model === undefined) {
          const near = nearModels(
            id,
            models.map((entry) => entry.id),
          )
          throw new AppError('model_not_found', `Nobody offers a model "${id}".${didYouMean(near)}`, { param: 'model' })
        }
        ctx.body = arrival.api === 'anthropic' ? toAnthropic(model) : model
      },
    },
    ...['/v1/batches', '/v1/files'].map((path): Route => ({
      methods: FORWARDED_METHODS,
      path: `${path}/*`,
      listeners: ['local'],
      pages: 'model',
      summary: 'Refused: the gateway keeps nothing of what is sent.',
      handle() {
        throw new AppError(
          'invalid_request',
          `There is no ${path} here: the gateway and its peers keep no files and no batches. Send each request to its own path.`,
        )
      },
    })),
  ]
}

/** https://docs.anthropic.com/en/api/models-list */
const toAnthropic = ({ id, created }: ModelEntry) => ({
  type: 'model',
  id,
  display_name: id,
  created_at: new Date(created * 1000).toISOString(),
})

const toAnthropicPage = ({ data, object: _object, ...page }: ModelPage) => ({ data: data.map(toAnthropic), ...page })

function decodeModelId(rest: string): string {
  try {
    return decodeURIComponent(rest.slice(1))
  } catch (error) {
    throw new AppError('invalid_request', 'The model id in the path is not valid percent-encoding.', { cause: error })
  }
}
