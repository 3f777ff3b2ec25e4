import type { IncomingHttpHeaders } from 'node:http'
import type { NodeTable } from '../node-table/index.js'
import type { Host } from '../p2p/index.js'
import type { Admission } from '../services/access/index.js'
import type { ServiceRegistry } from '../services/index.js'
import { conversationKey, type Affinity } from './forward/affinity.js'
import {
  chooseProviders,
  type Choice,
  type ChoiceWishes,
  type Provider,
  type ProviderSnapshot,
} from './forward/choose-providers.js'
import { estimatedTtfbMs } from './forward/provider-estimate.js'
import type { ProviderScores } from './forward/provider-scores.js'
import type { Reachability } from './forward/reachability.js'
import type { RequestBody } from './forward/request-body.js'

/** Who a request of this machine's apps will be tried on. */
export interface ProviderChoice {
  /** `tiers` are the entries that match, best first; a table that holds only a part of the network is asked further. */
  choose(service: string, tiers: readonly (readonly string[])[], request: ChoiceRequest): Promise<Choice>
  /** Whether this node or a peer that can be routed to has both entries in one service. */
  offers(service: string, entry: string, also: string): boolean
  /** Remembers who answered, for the next turn of the same conversation. */
  answered(request: ChoiceRequest, provider: Provider): void
}

/** What of a request the choice looks at. */
export interface ChoiceRequest {
  headers: IncomingHttpHeaders
  body: RequestBody
  /** An entry that the same service must have besides: `api=ollama`. */
  also?: string
}

/** Peer ids a header may name. */
const MAX_EXCLUDED = 32

export function createProviderChoice(needs: {
  host: Pick<Host, 'peerId'>
  table: Pick<NodeTable, 'get' | 'providers' | 'findProviders' | 'health'> & {
    status: Pick<NodeTable['status'], 'get'>
  }
  registry: Pick<ServiceRegistry, 'connected'>
  admission: Pick<Admission, 'usage'>
  reachability: Pick<Reachability, 'isRoutable'>
  scores: ProviderScores
  affinity: Affinity
  /** Numbers in [0, 1); `Math.random` unless given. */
  random?: () => number
}): ProviderChoice {
  const { host, table, registry, admission, reachability, scores, affinity, random = Math.random } = needs

  /** Peers whose very service has both: another service of theirs may have the model and not speak that interface. */
  function hasBoth(peerId: string, service: string, entries: readonly string[]): boolean {
    const services = table.get(peerId)?.record.service ?? []
    return services.some(
      ({ name, identity_group: group }) => name === service && entries.every((entry) => group.includes(entry)),
    )
  }

  function snapshotOf(service: string, also: string | undefined): ProviderSnapshot {
    return {
      ownService: (entry) =>
        registry
          .connected(service)
          .find(({ identityGroups: group }) => group.includes(entry) && (also === undefined || group.includes(also)))
          ?.id,
      ownHasRoom() {
        const { slots, ownRunning } = admission.usage()
        return slots.used + ownRunning < slots.total
      },
      *peers(entry) {
        for (const peerId of table.providers(service, entry)) {
          if (peerId !== host.peerId && (also === undefined || hasBoth(peerId, service, [entry, also]))) yield peerId
        }
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

  function wishesOf({ headers, body }: ChoiceRequest): ChoiceWishes {
    const key = keyOf(body)
    return {
      prefer: one(headers['x-ocf-prefer']),
      exclude: excluded(one(headers['x-ocf-exclude'])),
      warm: key === undefined ? undefined : affinity.lastServer(key),
    }
  }

  return {
    async choose(service, tiers, request) {
      const options = { ...wishesOf(request), random, ownPeerId: host.peerId }
      const choice = chooseProviders(snapshotOf(service, request.also), tiers, options)
      if (choice.providers.length > 0 || choice.knownButAway || table.health().reader === 'full') return choice
      await Promise.all((tiers[0] ?? []).map((entry) => table.findProviders(service, entry)))
      return chooseProviders(snapshotOf(service, request.also), tiers, options)
    },
    offers(service, entry, also) {
      const snapshot = snapshotOf(service, also)
      return (
        snapshot.ownService(entry) !== undefined ||
        [...snapshot.peers(entry)].some((peerId) => snapshot.isRoutable(peerId))
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

function excluded(header: string | undefined): ReadonlySet<string> {
  return new Set((header ?? '').split(',', MAX_EXCLUDED).map((peerId) => peerId.trim()))
}
