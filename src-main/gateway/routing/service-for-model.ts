import { AppError } from '#shared/errors.js'
import type { LocalService } from '../../services/index.js'
import type { RequestBody } from '../body/request-body.js'

/** The model a request names in its JSON, form or query; undefined where it names none. */
export function modelOf(body: RequestBody): string | undefined {
  if (body.kind === 'none') return body.model
  if (body.kind !== 'read') return undefined
  const model = body.json?.['model'] ?? body.form?.model
  return typeof model === 'string' ? model : undefined
}

/** The service that has the model the request names; the first where it names none. */
export function serviceForModel(services: readonly LocalService[], body: RequestBody): LocalService {
  const model = modelOf(body)
  const match = services.find((service) => service.identityGroups.includes(`model=${model}`))
  const service = match ?? services[0]
  if (service === undefined) throw new AppError('service_not_found', 'This node has no such service.')
  return service
}
