import type { IncomingHttpHeaders } from 'node:http'
import type { NodeTable } from '../../node-table/index.js'
import { ProviderSet } from '../../node-table/find/provider-set.js'
import type { Host } from '../../p2p/index.js'
import type { Admission } from '../../services/sharing/access/index.js'
import type { ServiceRegistry } from '../../services/index.js'
import { conversationKey, type Affinity } from './affinity.js'
import { chooseProviders, type Choice, type Provider, type ProviderSnapshot } from './choose-providers.js'
import { estimatedTtfbMs } from './provider-estimate.js'
import type { ProviderScores } from './provider-scores.js'
import type { Reachability } from './reachability.js'
import type { RequestBody } from '../body/request-body.js'

/** Who a request of this machine's apps will be tried on. */
export interface ProviderChoice {
  /** `tiers` are the entries that match, best first; a table that holds only a part of the network is asked further. */
  choose(service: string, tiers: readonly (readonly string[])[], request: ChoiceRequest): Choice | Promise<Choice>
  /** Whether this node or a peer that can be routed to has both entries in one service. */
  offers(service: string, entry: string, also: string): boolean
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

/** Peer ids a header may name. */
const MAX_EXCLUDED = 32

export function createProviderChoice(needs: {
  host: Pick<Host, 'peerId'>
  table: Pick<NodeTable, 'get' | 'providers' | 'findProviders' | 'health'> & {
    status: Pick<NodeTable['status'], 'get'>
  }
  registry: Pick<ServiceRegistry, 'connected'>
  admission: Pick<Admission, 'hasRoom'>
  reachability: Pick<Reachability, 'isRoutable'>
  scores: ProviderScores
  affinity: Affinity
  /** Numbers in [0, 1); `Math.random` unless given. */
  random?: () => number
}): ProviderChoice {
  const { host, table, registry, admission, reachability, scores, affinity, random = Math.random } = needs

  /** The view behind nearly every request: it holds nothing of one, so it is made once. */
  let usual: ProviderSnapshot | undefined

  /** Peers whose very service has both: another service of theirs may have the model and not speak that interface. */
  function hasBoth(peerId: string, service: string, entries: readonly string[]): boolean {
    const services = table.get(peerId)?.record.service ?? []
    return services.some(
      ({ name, identity_group: group }) => name === service && entries.every((entry) => group.includes(entry)),
    )
  }

  function snapshotOf(service: string, also: string | undefined): ProviderSnapshot {
    if (service !== 'llm' || also !== undefined) return newSnapshot(service, also)
    usual ??= newSnapshot(service, undefined)
    return usual
  }

  function newSnapshot(service: string, also: string | undefined): ProviderSnapshot {
    return {
      ownService: (entry) =>
        registry
          .connected(service)
          .find(({ identityGroups: group }) => group.includes(entry) && (also === undefined || group.includes(also)))
          ?.id,
      ownHasRoom: () => admission.hasRoom,
      peers(entry) {
        const peers = table.providers(service, entry)
        if (also === undefined) return peers
        return new ProviderSet(peers.list.filter((peerId) => hasBoth(peerId, service, [entry, also])))
      },
      isRoutable: (peerId) => reachability.isRoutable(peerId),
      isBusy: (peerId) => scores.refusedLately(peerId),
      estimateMs(peerId) {
        // Asks it in the background where its last answer is old.
        table.status.get(peerId)
        return estimatedTtfbMs(scores.load(peerId))
      },
    }
  }

  function optionsOf({ headers, body }: ChoiceRequest): Parameters<typeof chooseProviders>[2] {
    return {
      random,
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

  return {
    choose(service, tiers, request) {
      const choice = chooseProviders(snapshotOf(service, request.also), tiers, optionsOf(request))
      if (choice.providers.length > 0 || choice.knownButAway || table.health().reader === 'full') return choice
      return Promise.all((tiers[0] ?? []).map((entry) => table.findProviders(service, entry))).then(() =>
        chooseProviders(snapshotOf(service, request.also), tiers, optionsOf(request)),
      )
    },
    offers(service, entry, also) {
      const snapshot = snapshotOf(service, also)
      return (
        snapshot.ownService(entry) !== undefined ||
        snapshot.peers(entry).list.some((peerId) => peerId !== host.peerId && snapshot.isRoutable(peerId))
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
