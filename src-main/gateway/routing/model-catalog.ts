import { factsIn, type ModelFacts } from '#shared/model-facts.js'
import { isPlainName, skeletonOf } from '#shared/model-names.js'
import type { MonotonicClock } from '../../base/clock.js'
import type { Service } from '../../base/lifecycle.js'
import { Listeners } from '../../base/listeners.js'
import type { NodeTable, OfferedService } from '../../node-table/index.js'
import { factsOf, type LocalService, type ServiceRegistry } from '../../services/index.js'
import type { ProviderHealth } from './provider-health.js'
import type { ReachablePeers } from './reachable-peers.js'

/** A model that can be routed to now. */
export interface RoutableModel {
  id: string
  /** This node's services that offer it, published ones first. */
  own: LocalService[]
  /** Other peers that offer it, are known to be there, and can be asked. */
  peers: string[]
  /** Those of them that tell it to peers they trust alone, of which this node is one. */
  inTrust: ReadonlySet<string>
  /** What is known of it, from this machine's server or else the first peer that tells. */
  facts?: ModelFacts | undefined
}

/** Every model that can be routed to now: the one list that pages, commands and the gateway read. */
export interface ModelCatalog extends Service {
  /** Sorted by id. */
  list(): readonly RoutableModel[]
  get(id: string): RoutableModel | undefined
  /** What that peer, or this node, tells of its model of that name; undefined where it tells nothing. */
  facts(id: string, peerId: string): ModelFacts | undefined
  /**
   * The name that this one imitates: of a model of this machine, or of one that is listed, where this one only looks
   * like it. Undefined for nearly all, also for a model that is the own one itself.
   */
  imitatedBy(id: string): string | undefined
  /** Calls `listener` when the list may have changed; returns the way to stop. */
  subscribe(listener: () => void): () => void
}

/** What {@link createModelCatalog} works with. */
export interface ModelCatalogNeeds {
  table: Pick<NodeTable, 'get' | 'rows' | 'subscribe' | 'offers'>
  registry: Pick<ServiceRegistry, 'list' | 'connected' | 'subscribe'>
  health: Pick<ProviderHealth, 'isRoutable' | 'subscribe'>
  reachable: Pick<ReachablePeers, 'has' | 'subscribe'>
  monotonic: MonotonicClock
  /** This node's own id. */
  peerId: string
  /** Whose models may be named as they like. */
  isTrusted: (peerId: string) => boolean
}

/** The service that models are routed by, and how its identity groups name one. */
const LLM = 'llm'
const MODEL_PREFIX = 'model='

const NOBODY: ReadonlySet<string> = new Set()

/** Models of other peers that are listed; those that came first stay. */
const MAX_MODELS = 8_192
/** That a peer takes no requests is its word for half a minute, and no event ends it. */
const KEPT_FOR_MS = 1_000

/** An empty catalog. It follows the table row by row, so that reading it costs nothing of the rows that are not listed. */
export function createModelCatalog(needs: ModelCatalogNeeds): ModelCatalog {
  return new FollowedModels(needs)
}

class FollowedModels implements ModelCatalog {
  readonly name = 'model-catalog'
  readonly #needs: ModelCatalogNeeds
  /** Of each model the peers that are known to be there. */
  readonly #peersOf = new Map<string, Set<string>>()
  /** Of each such peer its models as they are in {@link #peersOf}. */
  readonly #modelsOf = new Map<string, readonly string[]>()
  /** Of each such peer the models that its row has not: it tells them to peers it trusts. */
  readonly #onlyInTrust = new Map<string, ReadonlySet<string>>()
  /** What each such peer tells of its models. */
  readonly #factsOf = new Map<string, ReadonlyMap<string, ModelFacts>>()
  readonly #listeners = new Listeners()
  readonly #subscriptions: (() => void)[] = []
  /** The models of this machine by skeleton, also of servers that are stopped. */
  #own: ReadonlyMap<string, ReadonlySet<string>> | undefined
  /** Ids that look as they are, by skeleton. */
  #plain = new Map<string, string>()
  #listed: ReadonlyMap<string, RoutableModel> | undefined
  #listedAtMs = 0

  constructor(needs: ModelCatalogNeeds) {
    this.#needs = needs
  }

  start(): Promise<void> {
    const { table, registry, health, reachable } = this.#needs
    this.#subscriptions.push(
      table.subscribe((event) => this.#follow(event.type === 'row:removed' ? event.peerId : event.row.peerId)),
      reachable.subscribe((peerId) => this.#follow(peerId)),
      table.offers.subscribe((peerId) => this.#follow(peerId)),
      health.subscribe(() => this.#changed()),
      registry.subscribe(() => {
        this.#own = undefined
        this.#changed()
      }),
    )
    for (const { peerId } of table.rows()) this.#follow(peerId)
    return Promise.resolve()
  }

  stop(): Promise<void> {
    for (const unsubscribe of this.#subscriptions.splice(0)) unsubscribe()
    return Promise.resolve()
  }

  list(): readonly RoutableModel[] {
    return [...this.#models().values()]
  }

  get(id: string): RoutableModel | undefined {
    return this.#models().get(id)
  }

  facts(id: string, peerId: string): ModelFacts | undefined {
    return peerId === this.#needs.peerId ? ownFacts(id, this.get(id)?.own ?? []) : this.#factsOf.get(peerId)?.get(id)
  }

  imitatedBy(id: string): string | undefined {
    const skeleton = skeletonOf(id)
    const own = this.#ownNames().get(skeleton)
    if (own !== undefined) return own.has(id) ? undefined : [...own][0]
    const plain = isPlainName(id) ? undefined : this.#plain.get(skeleton)
    return plain !== undefined && this.#peersOf.has(plain) ? plain : undefined
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Takes a peer's models anew: its row changed, or whether it is known to be there. */
  #follow(peerId: string): void {
    const { reachable, table } = this.#needs
    const isThere = peerId !== this.#needs.peerId && reachable.has(peerId)
    const [row, offers] = isThere ? [table.get(peerId)?.record.service ?? [], table.offers.of(peerId)] : [[], []]
    const listed = offeredIn(row)
    const told = offeredIn(offers)
    const models = [...new Set([...listed, ...told])]
    const before = this.#modelsOf.get(peerId) ?? []
    // As nearly every row that is not listed: nothing changes.
    if (models.length === 0 && before.length === 0) return
    for (const id of before) this.#forget(id, peerId)
    this.#modelsOf.delete(peerId)
    this.#onlyInTrust.delete(peerId)
    this.#factsOf.delete(peerId)
    const facts = factsIn([...offers, ...row].filter(isUsable))
    if (facts.size > 0) this.#factsOf.set(peerId, facts)
    const taken = models.filter((id) => this.#add(id, peerId))
    if (taken.length > 0) this.#modelsOf.set(peerId, taken)
    const inTrust = new Set(taken.filter((id) => !listed.includes(id)))
    if (inTrust.size > 0) this.#onlyInTrust.set(peerId, inTrust)
    this.#changed()
  }

  #add(id: string, peerId: string): boolean {
    const peers = this.#peersOf.get(id) ?? new Set()
    if (peers.size === 0) {
      if (this.#peersOf.size >= MAX_MODELS) return false
      this.#peersOf.set(id, peers)
      if (isPlainName(id)) this.#plain.set(skeletonOf(id), id)
    }
    peers.add(peerId)
    return true
  }

  #forget(id: string, peerId: string): void {
    const peers = this.#peersOf.get(id)
    if (peers?.delete(peerId) !== true || peers.size > 0) return
    this.#peersOf.delete(id)
    const skeleton = skeletonOf(id)
    if (this.#plain.get(skeleton) === id) this.#plain.delete(skeleton)
  }

  #changed(): void {
    this.#listed = undefined
    this.#listeners.notify()
  }

  #ownNames(): ReadonlyMap<string, ReadonlySet<string>> {
    if (this.#own !== undefined) return this.#own
    const services = this.#needs.registry.list().filter(({ name }) => name === LLM)
    const ids = services.flatMap(({ identityGroups }) => modelsOf(identityGroups))
    this.#own = new Map([...Map.groupBy(ids, skeletonOf)].map(([skeleton, names]) => [skeleton, new Set(names)]))
    return this.#own
  }

  #models(): ReadonlyMap<string, RoutableModel> {
    const now = this.#needs.monotonic.elapsedMs()
    if (this.#listed !== undefined && now - this.#listedAtMs < KEPT_FOR_MS) return this.#listed
    this.#listedAtMs = now
    const found = new Map<string, RoutableModel>()
    for (const service of this.#needs.registry.connected(LLM)) {
      for (const id of new Set(modelsOf(service.identityGroups))) {
        const model = found.get(id) ?? { id, own: [], peers: [], inTrust: NOBODY }
        found.set(id, model)
        model.own.push(service)
        model.facts ??= ownFacts(id, model.own)
      }
    }
    const away = new Set([...this.#modelsOf.keys()].filter((peerId) => !this.#needs.health.isRoutable(peerId)))
    for (const [id, offering] of this.#peersOf) {
      const mayBe = this.imitatedBy(id) === undefined ? () => true : this.#needs.isTrusted
      const peers = [...offering].filter((peerId) => !away.has(peerId) && mayBe(peerId))
      if (peers.length === 0) continue
      const model = found.get(id)
      const inTrust = new Set(peers.filter((peerId) => this.#onlyInTrust.get(peerId)?.has(id) === true))
      const teller =
        model === undefined ? peers.find((peerId) => this.#factsOf.get(peerId)?.has(id) === true) : undefined
      const facts = teller === undefined ? undefined : this.#factsOf.get(teller)?.get(id)
      if (model === undefined) found.set(id, { id, own: [], peers, inTrust, facts })
      else Object.assign(model, { peers, inTrust })
    }
    this.#listed = new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)))
    return this.#listed
  }
}

/** The models of those of a peer's services that can be used now. */
function offeredIn(services: readonly OfferedService[]): string[] {
  return [...new Set(services.filter(isUsable).flatMap((service) => modelsOf(service.identity_group)))]
}

const isUsable = ({ name, status }: OfferedService): boolean => name === LLM && status === 'connected'

/** What this machine's servers tell of a model: the first that lists it. */
function ownFacts(id: string, own: readonly LocalService[]): ModelFacts | undefined {
  for (const service of own) {
    const listed = service.models.find((model) => model.id === id)
    if (listed !== undefined) return factsOf(listed, service)
  }
  return undefined
}

/** The models that entries name; what names no single one is left out. */
export function modelsOf(groups: readonly string[]): string[] {
  return groups
    .filter((group) => group.startsWith(MODEL_PREFIX))
    .map((group) => group.slice(MODEL_PREFIX.length))
    .filter((id) => id !== '' && id !== '*')
}
