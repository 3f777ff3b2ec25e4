import { shortId } from '#shared/person-names.js'
import type { ControlClient } from './io.js'

/** An id that is not longer is shown whole. */
const SHORT_ENOUGH = 12

/** How peers are shown to a person: full ids are for `--json`. */
export interface PeerNames {
  /** What a trusted peer is called here; empty for others. */
  nameOf(peerId: string): string
  /** The end of the id, as people compare it. */
  shortIdOf(peerId: string): string
  /** The name, or else the short id. */
  labelOf(peerId: string): string
}

/** Asks the node what the peers are called that its owner trusts. */
export async function readPeerNames(client: ControlClient): Promise<PeerNames> {
  const people = await client.call('people.list', {})
  const names = new Map(people.map(({ peerId, label }) => [peerId, label]))
  const nameOf = (peerId: string): string => names.get(peerId) ?? ''
  const shortIdOf = (peerId: string): string => (peerId.length > SHORT_ENOUGH ? shortId(peerId) : peerId)
  return { nameOf, shortIdOf, labelOf: (peerId) => nameOf(peerId) || shortIdOf(peerId) }
}
