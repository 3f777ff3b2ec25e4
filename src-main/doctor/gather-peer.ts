import type { Connection } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { multiaddr } from '@multiformats/multiaddr'
import { ask } from '../http-client/index.js'
import { failureWords } from '../p2p/bootstrap/index.js'
import { createPeerClients, type Host, type PeerConnection } from '../p2p/index.js'
import type { DoctorNeeds } from './facts.js'

/** What was found on the path to one peer. */
export interface PeerFacts {
  peerId: string
  nowMs: number
  isSelf: boolean
  /** Addresses this node knows of the peer. */
  known: readonly string[]
  inTable: boolean
  connections: readonly PeerConnection[]
  dials: readonly { address: string; ms: number; error: string | undefined }[]
  protocols: readonly string[]
  /** The peer's answer to a health request over a stream. */
  health: { ok: boolean; ms: number; detail: string } | undefined
}

const DIAL_MS = 5_000
const LOOKUP_MS = 5_000
const HEALTH_MS = 5_000
const MAX_DIALS = 12

/** Dials each known address of a peer, one after the other, and asks it for its health. */
export async function gatherPeerFacts(needs: DoctorNeeds, peerId: string): Promise<PeerFacts> {
  const { host, table, clock } = needs
  const facts = { peerId, nowMs: clock.now(), isSelf: peerId === host.peerId, inTable: table.get(peerId) !== undefined }
  const nothing = { known: [], connections: [], dials: [], protocols: [], health: undefined }
  if (facts.isSelf) return { ...facts, ...nothing }
  const known = await knownAddresses(host, peerId)
  const dials: PeerFacts['dials'][number][] = []
  const opened: Connection[] = []
  for (const address of known.slice(0, MAX_DIALS)) {
    const { connection, ...result } = await dialOnce(host, peerId, address)
    dials.push(result)
    if (connection !== undefined) opened.push(connection)
  }
  const health = host.isConnected(peerId) || known.length > 0 ? await askHealth(needs, peerId) : undefined
  const found = {
    ...facts,
    known,
    dials,
    health,
    connections: host.connections().filter((connection) => connection.peerId === peerId),
    protocols: await protocolsOf(host, peerId),
  }
  await closeExtra(host, peerId, opened)
  return found
}

async function knownAddresses(host: Host, peerId: string): Promise<string[]> {
  const id = peerIdFromString(peerId)
  const stored = (await host.libp2p.peerStore.has(id)) ? (await host.libp2p.peerStore.get(id)).addresses : []
  const texts = stored.map(({ multiaddr: address }) => address.toString())
  const open = host.connections().flatMap((connection) => (connection.peerId === peerId ? [connection.multiaddr] : []))
  const all = [...texts, ...open].length > 0 ? [...texts, ...open] : await lookUp(host, peerId)
  const withPeer = all.map((address) => (address.endsWith(`/p2p/${peerId}`) ? address : `${address}/p2p/${peerId}`))
  return [...new Set(withPeer)]
}

async function lookUp(host: Host, peerId: string): Promise<string[]> {
  try {
    const { multiaddrs } = await host.libp2p.peerRouting.findPeer(peerIdFromString(peerId), {
      signal: AbortSignal.timeout(LOOKUP_MS),
    })
    return multiaddrs.map(String)
  } catch {
    // No peer that was asked knows it, or there is no DHT: there are no addresses.
    return []
  }
}

async function dialOnce(host: Host, peerId: string, address: string) {
  const startedAt = performance.now()
  const ms = (): number => performance.now() - startedAt
  try {
    const existing = host.libp2p
      .getConnections(peerIdFromString(peerId))
      .some(({ remoteAddr }) => remoteAddr.toString() === address)
    if (existing) return { address, ms: 0, error: undefined, connection: undefined }
    const connection = await host.libp2p.dial(multiaddr(address), { force: true, signal: AbortSignal.timeout(DIAL_MS) })
    return { address, ms: ms(), error: undefined, connection }
  } catch (error) {
    return { address, ms: ms(), error: failureWords(error), connection: undefined }
  }
}

async function askHealth({ host, log }: DoctorNeeds, peerId: string): Promise<NonNullable<PeerFacts['health']>> {
  const clients = createPeerClients({ host, log }, { connectTimeoutMs: () => HEALTH_MS })
  const startedAt = performance.now()
  try {
    const { status, text } = await ask(clients.to(peerId), {
      host: peerId,
      path: '/v1/health',
      maxBytes: 4096,
      signal: AbortSignal.timeout(HEALTH_MS),
    })
    const version = /"version":"([^"]{1,64})"/.exec(text)?.[1]
    const detail = version === undefined ? `status ${status}` : `version ${version}`
    return { ok: status === 200, ms: performance.now() - startedAt, detail }
  } catch (error) {
    const detail = error instanceof Error ? error.message.slice(0, 200) : String(error)
    return { ok: false, ms: performance.now() - startedAt, detail }
  } finally {
    await clients.stop()
  }
}

async function protocolsOf(host: Host, peerId: string): Promise<string[]> {
  const id = peerIdFromString(peerId)
  return (await host.libp2p.peerStore.has(id)) ? (await host.libp2p.peerStore.get(id)).protocols : []
}

/** One connection of the test stays open: a person asked about this peer for a reason. */
async function closeExtra(host: Host, peerId: string, opened: readonly Connection[]): Promise<void> {
  const open = host.libp2p.getConnections(peerIdFromString(peerId))
  const keep = open.find((connection) => !opened.includes(connection)) ?? opened[0]
  const extra = opened.filter((connection) => connection !== keep)
  await Promise.allSettled(extra.map((connection) => connection.close({ signal: AbortSignal.timeout(1_000) })))
}
