import { AppError } from '#shared/errors.js'
import type { Settings } from '../../config/index.js'
import type { ServiceRegistry } from '../../services/index.js'
import type { ModelCatalog } from './model-catalog.js'

/** How far a request may go: this machine alone, also to peers the person trusts, or to anyone who offers it. */
const REACHES = ['own', 'trusted', 'anyone'] as const
/** One of {@link REACHES}, from the narrowest to the widest. */
export type Reach = (typeof REACHES)[number]

/** The settings that say who may read what this machine sends. */
export type UseSettings = Readonly<Pick<Settings, 'use.reach' | 'use.overflow'>>

/** Says how far requests go, and to whom. */
export interface RequestReach {
  /**
   * For a request with that `X-Ocf-Only`, to services with one of these entries. The header narrows and never widens. A
   * model that this machine has itself stays with trusted peers, whether its server is busy or stopped, and so does a
   * name that only looks like one of its models, or like one that is listed.
   * @throws AppError `invalid_request` for a header that says none of the three
   */
  of(service: string, entries: readonly string[], only: string | undefined): Reach
  /** Whether a request of that reach may go to that peer. */
  includes(reach: Reach, peerId: string): boolean
  isTrusted(peerId: string): boolean
}

/** Reads the settings for each request, so that a change counts at once. */
export function createRequestReach(needs: {
  registry: Pick<ServiceRegistry, 'list'>
  models: Pick<ModelCatalog, 'imitatedBy'>
  settings: UseSettings
  isTrusted: (peerId: string) => boolean
}): RequestReach {
  const { registry, models, settings, isTrusted } = needs

  /** Also while the server is stopped: a person who has a model at home does not expect it to be asked elsewhere. */
  function isOwn(service: string, entries: readonly string[]): boolean {
    return registry
      .list()
      .some(({ name, identityGroups }) => name === service && entries.some((entry) => identityGroups.includes(entry)))
  }

  function mayOverflow(entries: readonly string[]): boolean {
    const models = settings['use.overflow']
    return models.includes('*') || entries.every((entry) => models.includes(entry.replace(/^model=/, '')))
  }

  const isImitation = (entries: readonly string[]): boolean =>
    entries.some((entry) => entry.startsWith('model=') && models.imitatedBy(entry.slice('model='.length)) !== undefined)

  return {
    of(service, entries, only) {
      const asked = narrower(settings['use.reach'], only === undefined ? 'anyone' : reachNamed(only))
      if (asked !== 'anyone') return asked
      const isKept = isOwn(service, entries) ? !mayOverflow(entries) : service === 'llm' && isImitation(entries)
      return isKept ? 'trusted' : asked
    },
    includes: (reach, peerId) => reach === 'anyone' || (reach === 'trusted' && isTrusted(peerId)),
    isTrusted,
  }
}

const narrower = (one: Reach, other: Reach): Reach => (REACHES.indexOf(one) < REACHES.indexOf(other) ? one : other)

function reachNamed(text: string): Reach {
  const found = REACHES.find((reach) => reach === text.trim().toLowerCase())
  if (found !== undefined) return found
  throw new AppError('invalid_request', 'X-Ocf-Only must be own, trusted or anyone.', { param: 'X-Ocf-Only' })
}
