import type { ServiceView } from '#shared/contract/services.js'

/** Models that requests are routed to; the server may list more than its owner shares. */
export function modelsOf(service: ServiceView): ServiceView['models'] {
  return service.models.filter((model) => service.identityGroups.includes(`model=${model.id}`))
}
