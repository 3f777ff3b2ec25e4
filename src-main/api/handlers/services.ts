import type { ServiceView } from '#shared/contract/sharing/services.js'
import { authorityOf, type LocalService, type ServiceRegistry, visibilityOf } from '../../services/index.js'
import type { Handlers } from '../dispatch.js'
import type { FeedSource } from '../feeds.js'

/** What the services topic reads. */
export interface ServicesNeeds {
  registry: Pick<ServiceRegistry, 'list' | 'subscribe'>
}

/** `services.list`. */
export function createServicesHandlers(needs: ServicesNeeds): Pick<Handlers, 'services.list'> {
  return { 'services.list': () => needs.registry.list().map(viewService) }
}

/** The `services` feed. */
export function createServicesFeed(needs: ServicesNeeds): FeedSource<ServiceView[]> {
  return {
    snapshot: () => needs.registry.list().map(viewService),
    subscribe: (listener) => needs.registry.subscribe(listener),
  }
}

function viewService(service: LocalService): ServiceView {
  return {
    id: service.id,
    name: service.name,
    address: authorityOf(service),
    status: service.status,
    problem: service.problem ?? null,
    published: service.published,
    visibility: service.visibility,
    models: service.models.map(({ id, contextLength }) => ({
      ...{ id, contextLength },
      visibility: visibilityOf(service, id),
    })),
    identityGroups: [...service.identityGroups],
    sharedPaths: service.sharedPaths.map(({ method, path }) => `${method} ${path}`),
  }
}
