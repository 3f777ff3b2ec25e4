import type { IncomingHttpHeaders } from 'node:http'
import { AppError } from '#shared/errors.js'
import { type NodeTable, ProviderSet, type ReadonlyProviderSet } from '../../node-table/index.js'
import type { Host } from '../../p2p/index.js'
import type { LocalService, ServiceRegistry } from '../../services/index.js'
import type { Admission } from '../../services/sharing/access/index.js'
import type { RequestBody } from '../body/request-body.js'
import { type Affinity, conversationKey } from './affinity.js'
import { type Choice, chooseProviders, type Provider, type ProviderSnapshot } from './choose-providers.js'
import { firstContact } from './first-contact.js'
import { byLoad } from './own-servers.js'
import type { ProviderHealth } from './provider-health.js'
import { estimatedTtfbMs, type ProviderScores } from './provider-scores.js'
import type { RequestReach } from './reach.js'

/** Chooses who a request of this machine's apps is sent to. */
export interface ProviderChoice {
  /** `tiers` are the entries that match, best first; a table that holds only a part of the network is asked further. */
  choose(service: string, tiers: readonly (readonly string[])[], request: ChoiceRequest): Choice | Promise<Choice>
  /** Whether this node or a peer that can be routed to, and is `among` those, has both entries in one service. */
  offers(service: string, entry: string, also: string, among?: (peerId: string) => boolean): boolean
  /** Remembers who answered, for the next turn of the same conversation. */
  answered(request: ChoiceRequest, provider: Provider): void
}

/** What of a request the choice looks at. */
interface ChoiceRequest {
  readonly headers: IncomingHttpHeaders
  readonly body: RequestBody
  /** An entry that the same service must have besides: `api=ollama`. */
  readonly also?: string | undefined
}

/** Peers of whom it is not known whether they are there that are asked beside a request. */
const MAX_HINTS = 2

/** Peer ids a header may name. */
const MAX_EXCLUDED = 32

export function createProviderChoice(needs: {
  host: Pick<Host, 'peerId' | 'isConnected'>
  table: Pick<NodeTable, 'get' | 'providers' | 'offers' | 'findProviders' | 'health'> & {
    status: Pick<NodeTable['status'], 'get' | 'refresh' | 'hint'>
  }
  registry: Pick<ServiceRegistry, 'connected'>
  admission: Pick<Admission, 'hasRoom'>
  health: Pick<ProviderHealth, 'isRoutable' | 'isPaused' | 'isDoubtful'>
  reach: Pick<RequestReach, 'of' | 'includes'>
  scores: ProviderScores
  affinity: Affinity
  /** Numbers in [0, 1); `Math.random` unless given. */
  random?: () => number
}): ProviderChoice {
  const { host, table, registry, admission, health, reach, scores, affinity, random = Math.random } = needs

  /** The view behind nearly every request: it holds nothing of one, so it is made once. */
  let usual: ProviderSnapshot | undefined

  /** Peers whose very service has both: another service of theirs may have the model and not speak that interface. */
  function hasBoth(peerId: string, service: string, entries: readonly string[]): boolean {
    const services = [...(table.get(peerId)?.record.service ?? []), ...table.offers.of(peerId)]
    return services.some(
      ({ name, identity_group: group }) => name === service && entries.every((entry) => group.includes(entry)),
    )
  }

  /** Everyone who offers it to this node: those who tell it to peers they trust come first. */
  function offering(service: string, entry: string): ReadonlyProviderSet {
    const told = table.offers.providers(service, entry)
    const listed = table.providers(service, entry)
    return told.size === 0 ? listed : new ProviderSet([...told, ...listed])
  }

  const ownWith = (service: string, entry: string, also: string | undefined): LocalService[] =>
    registry
      .connected(service)
      .filter(({ identityGroups: group }) => group.includes(entry) && (also === undefined || group.includes(also)))

  function snapshotOf(service: string, also: string | undefined): ProviderSnapshot {
    if (service !== 'llm' || also !== undefined) return newSnapshot(service, also)
    usual ??= newSnapshot(service, undefined)
    return usual
  }

  function newSnapshot(service: string, also: string | undefined): ProviderSnapshot {
    return {
      ownServices: (entry) => byLoad(scores, ownWith(service, entry, also)).map(({ id }) => id),
      ownHasRoom: () => admission.hasRoom,
      peers(entry) {
        const peers = offering(service, entry)
        if (also === undefined) return peers
        return new ProviderSet(peers.list.filter((peerId) => hasBoth(peerId, service, [entry, also])))
      },
      standing(peerId, entries) {
        if (health.isPaused(peerId)) return 'away'
        if (!host.isConnected(peerId)) return 'unproven'
        return health.isDoubtful(peerId, service, entries) ? 'doubtful' : 'proven'
      },
      isBusy: (peerId) => scores.refusedLately(peerId),
      estimateMs(peerId) {
        // Asks it in the background where its last answer is old.
        table.status.get(peerId)
        return estimatedTtfbMs(scores.load(peerId))
      },
    }
  }

  function optionsOf(
    service: string,
    tiers: readonly (readonly string[])[],
    { headers, body }: ChoiceRequest,
  ): Parameters<typeof chooseProviders>[2] {
    const farthest = reach.of(service, tiers[0] ?? [], one(headers['x-ocf-only']))
    return {
      random,
      mayGoTo: (peerId) => reach.includes(farthest, peerId),
      ownPeerId: host.peerId,
      prefer: one(headers['x-ocf-prefer']),
      exclude: excluded(one(headers['x-ocf-exclude'])),
      // Asked for only where there is a choice: it takes a hash of the prompt's beginning.
      get warm() {
        const key = keyOf(body)
        return key === undefined ? undefined : affinity.lastServer(key)
      },
    }
  }

  function chooseNow(service: string, tiers: readonly (readonly string[])[], request: ChoiceRequest): Choice {
    return chooseProviders(snapshotOf(service, request.also), tiers, optionsOf(service, tiers, request))
  }

  /**
   * Whoever comes first may not be there. With others behind it, which only a client's wish brings about, it alone is
   * asked; else all who may be there are, and the first who is gets the request. What does not answer is left out.
   */
  async function meet(service: string, tiers: readonly (readonly string[])[], request: ChoiceRequest): Promise<Choice> {
    const choice = chooseNow(service, tiers, request)
    const { providers, unproven } = choice
    const others = providers.filter((provider) => provider.kind === 'self' || !unproven.includes(provider.peerId))
    const [first] = providers
    const asked = others.length > 0 && first?.kind === 'peer' ? [first.peerId] : unproven
    if (await firstContact(table.status, asked)) return chooseNow(service, tiers, request)
    return { ...choice, providers: others, knownButAway: true }
  }

  /** Those beside the ones that are proven are asked in the background, so that they can show that they are there. */
  function askSome(unproven: readonly string[]): void {
    for (let count = 0; count < MAX_HINTS && count < unproven.length; count += 1) {
      const peerId = unproven[Math.floor(random() * unproven.length)]
      if (peerId !== undefined && health.isRoutable(peerId)) table.status.hint(peerId)
    }
  }

  /** Whether the first of them is no more than somebody who may be there. */
  const isUnmet = ({ providers: [first], unproven }: Choice): boolean =>
    first?.kind === 'peer' && unproven.includes(first.peerId)

  return {
    choose(service, tiers, request) {
      const choice = chooseNow(service, tiers, request)
      if (isUnmet(choice)) return meet(service, tiers, request)
      askSome(choice.unproven)
      const isFound = choice.providers.length > 0 || choice.knownButAway || choice.beyondReach
      if (isFound || table.health().reader === 'full') return choice
      return Promise.all((tiers[0] ?? []).map((entry) => table.findProviders(service, entry))).then(() => {
        const found = chooseNow(service, tiers, request)
        return isUnmet(found) ? meet(service, tiers, request) : found
      })
    },
    offers(service, entry, also, among = () => true) {
      if (ownWith(service, entry, also).length > 0) return true
      return offering(service, entry).list.some(
        (peerId) =>
          peerId !== host.peerId &&
          among(peerId) &&
          health.isRoutable(peerId) &&
          hasBoth(peerId, service, [entry, also]),
      )
    },
    answered({ body }, provider) {
      if (provider.kind !== 'peer') return
      const key = keyOf(body)
      if (key !== undefined) affinity.served(key, provider.peerId)
    },
  }
}

function keyOf(body: RequestBody): string | undefined {
  return body.kind === 'read' && body.json !== undefined ? conversationKey(body.json) : undefined
}

const one = (header: string | string[] | undefined): string | undefined => (Array.isArray(header) ? header[0] : header)

function excluded(header: string | undefined): ReadonlySet<string> | undefined {
  return header === undefined ? undefined : new Set(header.split(',', MAX_EXCLUDED).map((peerId) => peerId.trim()))
}

/** What a request asks for: one `key=value` pair. */
export interface IdentityQuery {
  key: string
  value: string
}

/** Tiers of identity groups that may serve: 0 exact only, 1 also `key=*`, 2 also `all`. */
export type FallbackLevel = 0 | 1 | 2

/** Fields of a JSON body that are looked at, so that a huge object costs no more than a small one. */
const MAX_FIELDS = 64
const MAX_VALUE_LENGTH = 512

/** `X-Ocf-Fallback` (or its older spelling); anything but 1 and 2 is 0. */
export function fallbackLevel(header: string | string[] | undefined): FallbackLevel {
  return header === '1' ? 1 : header === '2' ? 2 : 0
}

/**
 * Parses `X-Ocf-Identity-Group: key=value`, split at the first `=`.
 * @throws AppError `invalid_request`
 */
export function parseIdentityHeader(header: string): IdentityQuery {
  const at = header.indexOf('=')
  const key = header.slice(0, Math.max(at, 0)).trim()
  const value = header.slice(at + 1).trim()
  if (key === '' || value === '' || header.length > MAX_VALUE_LENGTH) {
    throw new AppError('invalid_request', 'X-Ocf-Identity-Group must look like model=llama3.2.')
  }
  return { key, value }
}

/**
 * The pairs that an identity group of `service` can match. For `llm` that is the model alone: otherwise a stranger who
 * registers `stream=true` would be an exact match for everybody's requests.
 */
export function identityQueries(service: string, body: RequestBody): IdentityQuery[] {
  if (body.kind === 'none') return service === 'llm' ? scalarQuery('model', body.model) : []
  if (body.kind !== 'read') return []
  if (body.form?.model !== undefined) return [{ key: 'model', value: body.form.model }]
  const { json } = body
  if (json === undefined) return []
  if (service === 'llm') return scalarQuery('model', json.scalar('model'))
  return json.names.slice(0, MAX_FIELDS).flatMap((key) => scalarQuery(key, json.scalar(key)))
}

function scalarQuery(key: string, value: unknown): IdentityQuery[] {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return []
  const text = String(value)
  return text === '' || text.length > MAX_VALUE_LENGTH ? [] : [{ key, value: text }]
}

/**
 * The identity-group entries that match, best tier first. A tier is present only where `fallback` opens it.
 */
export function matchingEntries(queries: readonly IdentityQuery[], fallback: FallbackLevel): string[][] {
  // A value that reads `*` is no key to the wildcard tier.
  const tiers = [queries.filter(({ value }) => value !== '*').map(({ key, value }) => `${key}=${value}`)]
  if (fallback >= 1) tiers.push(queries.map(({ key }) => `${key}=*`))
  if (fallback >= 2) tiers.push(['all'])
  return tiers
}
