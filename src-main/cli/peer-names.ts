import { AppError } from '#shared/errors.js'
import { cleanName, shortId } from '#shared/person-names.js'
import { quote } from '../config/index.js'
import type { ControlClient } from './io.js'

/** An id that is not longer is shown whole. */
const SHORT_ENOUGH = 12

/** How peers are shown to a person: full ids are for `--json`. */
export interface PeerNames {
  /** What a trusted peer is called here; empty for others. */
  nameOf: (peerId: string) => string
  /** The end of the id, as people compare it. */
  shortIdOf: (peerId: string) => string
  /** The name, or else the short id. */
  labelOf: (peerId: string) => string
}

/** Asks the node what the peers are called that its owner trusts; the one of the id `self` is this computer. */
export async function readPeerNames(client: ControlClient, self?: string): Promise<PeerNames> {
  const people = await client.call('people.list', {})
  const names = new Map(people.map(({ peerId, label }) => [peerId, label]))
  if (self !== undefined) names.set(self, 'this computer')
  const nameOf = (peerId: string): string => names.get(peerId) ?? ''
  const shortIdOf = (peerId: string): string => (peerId.length > SHORT_ENOUGH ? shortId(peerId) : peerId)
  return { nameOf, shortIdOf, labelOf: (peerId) => nameOf(peerId) || shortIdOf(peerId) }
}

/** A peer id as libp2p writes it. */
export const PEER_ID = /^(?:12D3KooW|Qm|16Uiu2HA)[1-9A-HJ-NP-Za-km-z]{20,80}$/
/** Fewer characters of an id say too little. */
const LEAST_END = 6

/** A peer by its id, by the end of the id, or by the name of one that is trusted. @throws AppError `not_found` */
export async function findPeer(client: ControlClient, text: string): Promise<string> {
  if (PEER_ID.test(text)) return text
  const people = await client.call('people.list', {})
  const peers = await client.call('peers.list', {})
  const { consumers, limits } = await client.call('limits.get', {})
  const wanted = cleanName(text).toLowerCase()
  const end = text.replace(/^…/, '')
  const named = people.filter(({ label }) => label.toLowerCase() === wanted).map(({ peerId }) => peerId)
  const ids = [...[...people, ...peers, ...consumers].map(({ peerId }) => peerId), ...limits.blockedPeers]
  const [peerId, another] = new Set([...named, ...ids.filter((id) => end.length >= LEAST_END && id.endsWith(end))])
  if (peerId !== undefined && another === undefined) return peerId
  const why = another === undefined ? 'No peer is' : 'More than one peer is'
  throw new AppError('not_found', `${why} ${quote(text)}. \`ocf peers\` lists them with the ends of their ids.`)
}
