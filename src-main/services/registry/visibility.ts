import { VISIBILITIES, type Visibility } from '#shared/contract/sharing/visibility.js'
import type { LocalService, PeerClass } from '../index.js'
import { OLLAMA_API } from './published-models.js'
import { LLM } from './registration.js'

/** Whether peers of that class may use what has this visibility. */
export function isOpenTo(visibility: Visibility, peers: PeerClass): boolean {
  return visibility === 'everyone' || (visibility === 'trusted' && peers === 'trusted')
}

/** Whether `to` lets fewer use it than `from`. */
export function isNarrower(to: Visibility, from: Visibility): boolean {
  return VISIBILITIES.indexOf(to) < VISIBILITIES.indexOf(from)
}

/** The wider of two. */
export function wider(one: Visibility, other: Visibility): Visibility {
  return isNarrower(one, other) ? other : one
}

/** Who may use that model of a service, by its published name. */
export function visibilityOf(
  service: Pick<LocalService, 'visibility' | 'visibilities'>,
  model: string | undefined,
): Visibility {
  return (model === undefined ? undefined : service.visibilities.get(model)) ?? service.visibility
}

/**
 * A service as peers of that class may see and use it; undefined where they may use nothing of it. Whatever is decided for
 * a peer is decided from this, so that what it may not use is to it as if it did not exist.
 */
export function seenBy(service: LocalService, peers: PeerClass): LocalService | undefined {
  const isOpen = isOpenTo(service.visibility, peers)
  const isVisible = (model: string): boolean => isOpenTo(visibilityOf(service, model), peers)
  const groups = service.identityGroups.filter((entry) => {
    if (service.name === LLM && entry.startsWith(MODEL_PREFIX) && entry !== `${MODEL_PREFIX}*`) {
      return isVisible(entry.slice(MODEL_PREFIX.length))
    }
    return isOpen || entry === OLLAMA_API
  })
  if (!isOpen && groups.every((entry) => entry === OLLAMA_API)) return undefined
  if (isOpen && [...service.visibilities.values()].every((visibility) => isOpenTo(visibility, peers))) return service
  return {
    ...service,
    identityGroups: groups,
    models: service.models.filter(({ id }) => isVisible(id)),
    // Not all of the server's models may be used, so each request has to name one that may.
    onlyTicked: true,
  }
}

const MODEL_PREFIX = 'model='
