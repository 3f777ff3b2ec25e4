import type { IncomingMessage } from 'node:http'
import { AppError } from '#shared/errors.js'
import { isGeneration, lowerTokens, withoutDoubles } from '../services/access/index.js'
import type { LocalService } from '../services/index.js'
import {
  assertDeclaredLength,
  hasBody,
  parseObject,
  readAll,
  readRoutingBody,
  type RequestBody,
} from './forward/request-body.js'
import { modelOf } from './forward/service-for-model.js'

/** How a peer's body is read. */
export interface SharedBodyRules {
  /** Path at the server, query not included. */
  path: string
  /** Bytes of JSON and forms, which are kept in memory. */
  maxBytes: number
  /** Bytes of any body; 0 lets what need not be read stream through without a bound. */
  maxUploadBytes: number
  /** What the body says decides whether it may pass: it must be understood, as JSON whatever its type claims. */
  strict: boolean
}

/** Multipart uploads; everything else that is shared of a model server takes JSON. */
const FORM_PATHS = /^\/v1\/(?:audio|images)\//

/**
 * The body of a peer's request to a model server, never more of it than the rules allow.
 * @throws AppError `invalid_json`, `body_too_large`; `ClientGoneError`
 */
export async function readSharedBody(request: IncomingMessage, rules: SharedBodyRules): Promise<RequestBody> {
  if (!hasBody(request)) return { kind: 'none' }
  const maxBytes = rules.maxUploadBytes === 0 ? rules.maxBytes : Math.min(rules.maxBytes, rules.maxUploadBytes)
  if (rules.strict && !FORM_PATHS.test(rules.path)) {
    const json = withoutDoubles(parseObject(await readAll(request, maxBytes)))
    return { kind: 'read', json, bytes: Buffer.from(JSON.stringify(json)), contentType: 'application/json' }
  }
  const body = await readRoutingBody(request, { maxBytes, identityKnown: false })
  if (body.kind !== 'stream' || rules.maxUploadBytes === 0) return body
  assertDeclaredLength(request, rules.maxUploadBytes)
  // A length that was declared is kept by the connection itself; without one, only reading tells.
  if (request.headers['content-length'] !== undefined) return body
  return { kind: 'read', bytes: await readAll(request, rules.maxUploadBytes) }
}

/**
 * The owner ticked single models: a peer reaches no other.
 * @throws AppError `missing_model`, `model_not_found`
 */
export function checkConsent(service: LocalService, body: RequestBody): void {
  if (service.onlyTicked !== true) return
  const model = modelOf(body)
  if (model === undefined) throw new AppError('missing_model', 'The request names no model.', { param: 'model' })
  if (service.models.some(({ id }) => id === model)) return
  throw new AppError('model_not_found', `This node does not share a model "${model.slice(0, 200)}".`, {
    param: 'model',
  })
}

/** The same request with the owner's limit on tokens in it; byte for byte the same without a limit. */
export function withTokenLimit(body: RequestBody, path: string, maxTokens: number): RequestBody {
  if (maxTokens === 0 || !isGeneration(path) || body.kind !== 'read' || body.json === undefined) return body
  const json = lowerTokens(path, body.json, maxTokens)
  return { ...body, json, bytes: Buffer.from(JSON.stringify(json)) }
}
