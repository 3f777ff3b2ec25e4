import type { LocalService } from '../../services/index.js'
import { modelOf, type RequestBody, withModel } from './request-body.js'

/**
 * The body with the model's published name replaced by the one the server itself uses. The body comes back untouched,
 * byte for byte, where the two are the same; of a form nothing but the name changes.
 */
export function withServerModelId(body: RequestBody, service: LocalService): RequestBody {
  if (service.serverModelIds.size === 0 || body.kind !== 'read') return body
  const model = modelOf(body)
  if (model === undefined) return body
  const own = service.serverModelIds.get(model)
  if (own === undefined || own === model) return body
  return withModel(body, own)
}

/** The raw path and query with the model in the query replaced likewise; everything else stays as it was sent. */
export function withServerModelIdInQuery(target: string, body: RequestBody, service: LocalService): string {
  if (body.kind !== 'none' || body.model === undefined) return target
  const own = service.serverModelIds.get(body.model)
  if (own === undefined || own === body.model) return target
  return target.replace(/(?<=[?&]model=)[^&]*/, () => encodeURIComponent(own))
}
