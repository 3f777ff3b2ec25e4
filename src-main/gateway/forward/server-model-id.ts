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

/** The raw path and query with the model in the query replaced likewise; everything else stays as it was sent. */
export function withServerModelIdInQuery(target: string, body: RequestBody, service: LocalService): string {
  if (body.kind !== 'none' || body.model === undefined) return target
  const own = service.serverModelIds.get(body.model)
  if (own === undefined || own === body.model) return target
  return target.replace(/(?<=[?&]model=)[^&]*/, () => encodeURIComponent(own))
}
