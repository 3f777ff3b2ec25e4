import type { IncomingHttpHeaders } from 'node:http'
import type { TrafficCandidate } from '#shared/contract/node/traffic.js'
import type { AppError } from '#shared/errors.js'
import { type NodeTable, ProviderSet, type ReadonlyProviderSet } from '../../node-table/index.js'
import type { Host } from '../../p2p/index.js'
import type { LocalService, ServiceRegistry } from '../../services/index.js'
import type { Admission } from '../../services/sharing/access/index.js'
import type { RequestBody } from '../body/request-body.js'
import { type Choice, chooseProviders, type Provider, type ProviderSnapshot } from './choose-providers.js'
import { type Asked, fitOf, nobodyTakes } from './eligibility/eligibility.js'
import { TokenSizes } from './eligibility/token-sizes.js'
import { consideredAt } from './estimate/considered.js'
import { FreshStatus } from './estimate/fresh-status.js'
import { PromptHasher } from './estimate/prompt-chain.js'
import { RequestWork } from './estimate/request-work.js'
import { SentPrompts } from './estimate/sent-prompts.js'
import { isUnmet, lookFurther, meet, meetOrLookFurther, type OpenChoice } from './first-contact.js'
import type { ModelCatalog } from './model-catalog.js'
import { byLoad } from './own-servers.js'
import { offerKey, type ProviderHealth } from './provider-health.js'
import type { ProviderScores } from './provider-scores.js'
import type { RequestReach } from './reach.js'

/** Chooses who a request of this machine's apps is sent to. */
export interface ProviderChoice {
  /** What a request asks of providers that offer one of these entries. */
  workOf(service: string, entries: readonly string[], request: { body: RequestBody; path: string }): RequestWork
  /** `tiers` are the entries that match, best first; a table that holds only a part of the network is asked further. */
  choose(service: string, tiers: readonly (readonly string[])[], request: ChoiceRequest): Choice | Promise<Choice>
  /**
   * Who is asked next where those of these ids, peers and own services, have not answered: best first, by what is known
   * now. The network is not asked.
   */
  chooseAgain(
    service: string,
    tiers: readonly (readonly string[])[],
    request: ChoiceRequest,
    asked: ReadonlySet<string>,
  ): readonly Provider[]
  /**
   * Who else there is where nobody known is left: those that have not been met are, and a table that holds only a part of
   * the network is asked further. Nobody for a table that holds all of it.
   */
  findMore(
    service: string,
    tiers: readonly (readonly string[])[],
    request: ChoiceRequest,
    asked: ReadonlySet<string>,
  ): Promise<readonly Provider[]>
  /** Why none of those who offer these entries takes the request, for a choice whose providers are all `unable`. */
  whyUnable(service: string, entries: readonly string[], request: { what: string; work: RequestWork }): AppError
  /** What the request was expected to wait for at each of these peers. */
  explain(providers: readonly Provider[], work: RequestWork): TrafficCandidate[]
  /** Whether this node or a peer that can be routed to, and is `among` those, has both entries in one service. */
  offers(service: string, entry: string, also: string, among?: (peerId: string) => boolean): boolean
}

/** What of a request the choice looks at. */
interface ChoiceRequest {
  readonly headers: IncomingHttpHeaders
  readonly work: RequestWork
  /** An entry that the same service must have besides: `api=ollama`. */
  readonly also?: string | undefined
}

/** A provider of which little is known is tried with requests of so few tokens, which even a slow one has soon read. */
const TRY_TOKENS = 800

/** What is the same for all requests. */
type CommonView = Omit<ProviderSnapshot, 'expected' | 'isWorthATry'>

/** Peers of whom it is not known whether they are there that are asked beside a request. */
const MAX_HINTS = 2

/** How an entry names a model. */
const MODEL = 'model='

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
  models: Pick<ModelCatalog, 'facts'>
  /** Where what is learned of tokens is shared with others. */
  sizes?: TokenSizes
  /** Numbers in [0, 1); `Math.random` unless given. */
  random?: () => number
}): ProviderChoice {
  const { host, table, registry, admission, health, reach, scores, models, random = Math.random } = needs

  const prompts = { hasher: new PromptHasher(), sent: new SentPrompts(), sizes: needs.sizes ?? new TokenSizes() }
  const fresh = new FreshStatus({ status: table.status, scores })

  /** The view behind nearly every request: it holds nothing of one, so it is made once. */
  let usual: CommonView | undefined

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

  function snapshotOf(service: string, also: string | undefined): CommonView {
    if (service !== 'llm' || also !== undefined) return newSnapshot(service, also)
    usual ??= newSnapshot(service, undefined)
    return usual
  }

  function newSnapshot(service: string, also: string | undefined): CommonView {
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
    }
  }

  function optionsOf(
    service: string,
    tiers: readonly (readonly string[])[],
    { headers, work }: ChoiceRequest,
    not: ReadonlySet<string>,
  ): Parameters<typeof chooseProviders>[2] {
    // Most requests meet nobody who tells anything: what they need is looked for when somebody does.
    let asked: Asked | undefined
    // The same for all candidates of a tier.
    let sought: { entries: readonly string[]; model: string | undefined } | undefined
    const farthest = reach.of(service, tiers[0] ?? [], one(headers['x-ocf-only']))
    return {
      random,
      mayGoTo: (peerId) => reach.includes(farthest, peerId),
      ownPeerId: host.peerId,
      prefer: one(headers['x-ocf-prefer']),
      exclude: excluded(one(headers['x-ocf-exclude']), not),
      warm: () => work.holders(),
      fit(peerId, entries) {
        if (service !== 'llm') return 'yes'
        if (sought?.entries !== entries) sought = { entries, model: modelIn(entries) }
        const facts = sought.model === undefined ? undefined : models.facts(sought.model, peerId)
        return facts === undefined ? 'yes' : fitOf((asked ??= work.asked), facts)
      },
    }
  }

  function chooseNow(
    service: string,
    tiers: readonly (readonly string[])[],
    request: ChoiceRequest,
    asked: ReadonlySet<string> = NOBODY,
  ): Choice {
    const { work } = request
    const compared = scores.comparing(work.offer)
    // The same for all candidates, and looked for in a quarter of the requests. What has waited once, or is a conversation
    // that others have read the beginning of, is no request to try somebody with.
    let isShortAndNew: boolean | undefined
    const snapshot = {
      ...snapshotOf(service, request.also),
      isWorthATry: (peerId: string) =>
        (isShortAndNew ??= asked.size === 0 && work.tokens <= TRY_TOKENS && work.holders().length === 0) &&
        scores.isLittleKnown(peerId, work.offer) &&
        // What a request waited for in vain is no guess: others go there only where it is expected to be best.
        !scores.keptWaiting(peerId),
      expected(peerId: string) {
        // Asks it in the background where its last answer is old.
        table.status.get(peerId)
        const unread = work.unreadTokens(peerId)
        const { ms, isBusy } = compared(peerId, unread)
        return { ms, isBusy, isWarm: unread < work.tokens }
      },
    }
    return chooseProviders(snapshot, tiers, optionsOf(service, tiers, request, asked))
  }

  const openChoice = (
    service: string,
    tiers: readonly (readonly string[])[],
    request: ChoiceRequest,
    asked: ReadonlySet<string> = NOBODY,
  ): OpenChoice => ({
    now: () => chooseNow(service, tiers, request, asked),
    status: table.status,
    find: (areAway) =>
      Promise.all((tiers[0] ?? []).map((entry) => table.findProviders(service, entry, { areAway, failed: asked }))),
  })

  /** Those beside the ones that are proven are asked in the background, so that they can show that they are there. */
  function askSome(unproven: readonly string[]): void {
    for (let count = 0; count < MAX_HINTS && count < unproven.length; count += 1) {
      const peerId = unproven[Math.floor(random() * unproven.length)]
      if (peerId !== undefined && health.isRoutable(peerId)) table.status.hint(peerId)
    }
  }

  return {
    workOf: (service, entries, request) => new RequestWork({ offer: offerKey(service, entries), ...request }, prompts),
    choose(service, tiers, request) {
      const choice = chooseNow(service, tiers, request)
      if (isUnmet(choice)) {
        const open = openChoice(service, tiers, request)
        return table.health().reader === 'full' ? meet(open) : meetOrLookFurther(open)
      }
      askSome(choice.unproven)
      const asked = fresh.ask(choice.providers, request.work)
      if (asked !== undefined) return asked.then(() => chooseNow(service, tiers, request))
      const { beyondReach, unable, knownButAway } = choice
      const isFound = choice.providers.length > 0 || beyondReach || unable
      if (isFound || table.health().reader === 'full') return choice
      return lookFurther(openChoice(service, tiers, request), knownButAway)
    },
    chooseAgain: (service, tiers, request, asked) =>
      notAsked(chooseNow(service, tiers, request, asked).providers, asked),
    async findMore(service, tiers, request, asked) {
      if (table.health().reader === 'full') return []
      const open = openChoice(service, tiers, request, asked)
      const known = open.now()
      const found = known.providers.length > 0 && !isUnmet(known) ? known : await meetOrLookFurther(open)
      return notAsked(found.providers, asked)
    },
    whyUnable(service, entries, { what, work }) {
      const peers = entries.flatMap((entry) => [...offering(service, entry)])
      const model = modelIn(entries)
      return nobodyTakes(
        what,
        work.asked,
        model === undefined ? [] : peers.flatMap((peerId) => models.facts(model, peerId) ?? []),
      )
    },
    explain: (providers, work) =>
      providers.flatMap((provider) => {
        if (provider.kind === 'self') return []
        const { peerId } = provider
        const asked = work.at(peerId)
        return [consideredAt(peerId, scores.estimate(peerId, asked), asked.unreadTokens)]
      }),
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
  }
}

/** Peers that were asked are left out of a choice; own services are not. */
const notAsked = (providers: readonly Provider[], asked: ReadonlySet<string>): readonly Provider[] =>
  providers.filter((provider) => provider.kind === 'peer' || !asked.has(provider.serviceId))

/** The model that entries name. */
const modelIn = (entries: readonly string[]): string | undefined =>
  entries.find((entry) => entry.startsWith(MODEL))?.slice(MODEL.length)

const one = (header: string | string[] | undefined): string | undefined => (Array.isArray(header) ? header[0] : header)

const NOBODY: ReadonlySet<string> = new Set()

function excluded(header: string | undefined, others: ReadonlySet<string>): ReadonlySet<string> {
  if (header === undefined) return others
  return new Set([...header.split(',', MAX_EXCLUDED).map((peerId) => peerId.trim()), ...others])
}
