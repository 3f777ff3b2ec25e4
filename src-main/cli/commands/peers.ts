import type { PeerView } from '#shared/contract/network/peers.js'
import { durationText, since } from '#shared/figures.js'
import { PATH_WORDS } from '#shared/path-order.js'
import { EXIT, type CliIo, type ControlClient } from '../io.js'
import { readPeerNames, type PeerNames } from '../peer-names.js'
import { mayColour, textTable } from '../table.js'

const MAX_OFFERS = 3

/** `ocf peers`: the peers the running node knows, connected ones first. */
export async function runPeers(
  needs: { io: CliIo; client: ControlClient },
  options: { json: boolean },
): Promise<number> {
  const { io, client } = needs
  const peers = await client.call('peers.list', {})
  if (options.json) io.stdout.write(`${JSON.stringify(peers, null, 2)}\n`)
  else if (peers.length === 0) io.stdout.write('No peer is known yet. `ocf doctor` explains why.\n')
  else io.stdout.write(peersText(peers, await readPeerNames(client), mayColour(io)))
  return EXIT.ok
}

function peersText(peers: PeerView[], names: PeerNames, colour: boolean): string {
  const nowMs = Date.now()
  const rows = peers
    .toSorted((a, b) => Number(b.connected) - Number(a.connected))
    .map((peer) => [
      names.nameOf(peer.peerId),
      names.shortIdOf(peer.peerId),
      pathOf(peer, names),
      peer.rttMs === undefined ? '' : durationText(peer.rttMs),
      peer.connectedAtMs === null ? '' : since(peer.connectedAtMs, nowMs),
      offersOf(peer.offers),
    ])
  return textTable(['NAME', 'ID', 'PATH', 'RTT', 'SINCE', 'OFFERS'], rows, { colour })
}

/** `direct over TCP`, `relayed by …7foe`, or `not connected, unproven` for one that may not be there at all. */
function pathOf({ connected, standing, paths, relays }: PeerView, names: PeerNames): string {
  if (!connected) return standing === 'proven' ? 'not connected' : `not connected, ${standing}`
  const [relay] = relays ?? []
  const [path] = paths
  if (relay !== undefined) return `relayed by ${names.labelOf(relay)}`
  return path === undefined ? 'connected' : PATH_WORDS[path]
}

/** The models by name, and other services as `service:entry`. */
function offersOf(all: readonly string[]): string {
  const MODEL = 'llm:model='
  const models = all.filter((offer) => offer.startsWith(MODEL)).map((offer) => offer.slice(MODEL.length))
  const others = all.filter((offer) => !offer.startsWith('llm:'))
  const offers = [...models, ...others]
  const more = offers.length - MAX_OFFERS
  return `${offers.slice(0, MAX_OFFERS).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
