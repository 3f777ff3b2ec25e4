import type { LocalService } from '../../services/index.js'
import type { RequestBody } from './request-body.js'

/**
 * The body with the model's published name replaced by the one the server itself uses. The body comes back untouched,
 * byte for byte, where the two are the same.
 */
export function withServerModelId(body: RequestBody, service: LocalService): RequestBody {
  if (service.serverModelIds.size === 0 || body.kind !== 'read' || body.json === undefined) return body
  const { model } = body.json
  if (typeof model !== 'string') return body
  const own = service.serverModelIds.get(model)
  if (own === undefined || own === model) return body
  const json = { ...body.json, model: own }
  return { ...body, json, bytes: Buffer.from(JSON.stringify(json)) }
}
