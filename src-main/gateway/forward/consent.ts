import { AppError } from '#shared/errors.js'
import { countsTokens, type Limits } from '#shared/limits.js'
import { isModelPath, type LocalService } from '../../services/index.js'
import { missingQuestion } from '../../services/sharing/access/index.js'
import { hasPrivateIds } from '../body/private-names.js'
import { modelOf, type RequestBody } from '../body/request-body.js'

/**
 * A peer reaches the models that are shared and no other, whichever way it names one, and asks them something. A model
 * in the query is refused, as some servers take it from there. Only a path that the owner shared beside those of models
 * may name none, where all models are shared.
 * @throws AppError `missing_model`, `model_not_found`, `invalid_request`
 */
export function checkConsent(
  service: LocalService,
  body: RequestBody,
  { path, query }: { path: string; query: string },
): void {
  if (service.name !== 'llm') return
  if (namesModel(query)) {
    throw new AppError('invalid_request', 'Name the model in the body of the request, not in its query.', {
      param: 'model',
    })
  }
  checkModel(service, body, service.onlyTicked === true || isModelPath(path))
  if (body.kind !== 'read' || body.json === undefined) return
  const param = missingQuestion(path, body.json)
  if (param === undefined) return
  throw new AppError(
    'invalid_request',
    `The request has no "${param}", so it asks for no answer. When models are loaded is up to the owner of this node.`,
    { param },
  )
}

/**
 * What a WebSocket carries is not read here. So there is none where the owner limits what may be asked of models, or where
 * answers name paths on the owner's disk.
 * @throws AppError `path_not_shared`, `model_not_found`
 */
export function checkSocketConsent(service: LocalService, body: RequestBody, limits: Limits): void {
  if (service.name !== 'llm') return
  if (countsTokens(limits) || service.onlyTicked === true || hasPrivateIds(service)) {
    throw new AppError(
      'path_not_shared',
      'The owner of this node limits what its models may be asked, which can not be done in a WebSocket. Use requests.',
    )
  }
  checkModel(service, body, false)
}

function checkModel(service: LocalService, body: RequestBody, isNeeded: boolean): void {
  const model = modelOf(body)
  if (model === undefined) {
    if (!isNeeded && !namesOddModel(body)) return
    throw new AppError('missing_model', 'The request names no model.', { param: 'model' })
  }
  if (isShared(service, model)) return
  throw notShared(model)
}

/** What a peer hears of a model that it may not use, which is to it as if there were none. */
export function notShared(model: string): AppError {
  return new AppError('model_not_found', `This node does not share a model "${model.slice(0, 200)}".`, {
    param: 'model',
  })
}

/** A `model` that is no text. */
const namesOddModel = (body: RequestBody): boolean => body.kind === 'read' && body.json?.has('model') === true

/** In the server's list as it is now, or an entry of the owner's own that covers it. */
function isShared({ models, identityGroups, onlyTicked }: LocalService, model: string): boolean {
  if (models.some(({ id }) => id === model)) return true
  return onlyTicked !== true && [`model=${model}`, 'model=*', 'all'].some((entry) => identityGroups.includes(entry))
}

/** Whatever separates its pairs, and however the name is written. */
function namesModel(query: string): boolean {
  return query.split(/[?&;]/).some((pair) => [...new URLSearchParams(pair).keys()].some((key) => /model/i.test(key)))
}
