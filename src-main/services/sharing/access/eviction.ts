import type { PeerRequest } from './peer-request.js'
import type { Rank } from './ranks.js'

/** A request that could make room for another, and how its peer stands. */
export interface Contender {
  readonly request: PeerRequest
  readonly rank: Rank
}

/**
 * The requests of which one makes room for a newcomer, in the given order: those of the source with most, there of the
 * peer with most. `when-fair`: only where the newcomer's source, or else the newcomer in its own source, still has no
 * more than they do afterwards; none otherwise. `always`: whatever the newcomer has; where its own source has most, of
 * that one.
 */
export function ofGreediest(
  contenders: readonly Contender[],
  newcomer: Pick<Rank, 'source' | 'peerId'>,
  when: 'always' | 'when-fair',
): PeerRequest[] {
  const sources = Map.groupBy(contenders, ({ rank }) => rank.source)
  const own = sources.get(newcomer.source) ?? []
  const most = largest(sources)
  const isOwnTurn = when === 'always' ? own.length >= most.length : own.length + 1 >= most.length
  const peers = Map.groupBy(isOwnTurn ? own : most, ({ rank }) => rank.peerId)
  const greediest = largest(peers)
  const ownCount = peers.get(newcomer.peerId)?.length ?? 0
  const isFair = when === 'always' || !isOwnTurn || greediest.length > ownCount + 1
  return isFair ? greediest.map(({ request }) => request) : []
}

function largest(groups: ReadonlyMap<string, Contender[]>): Contender[] {
  let most: Contender[] = []
  for (const group of groups.values()) if (group.length > most.length) most = group
  return most
}
