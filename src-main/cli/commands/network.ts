import type { ModelView } from '#shared/contract/models/models.js'
import type { PeerView } from '#shared/contract/network/peers.js'
import { EXIT, type CliIo, type ControlClient } from '../io.js'
import { mayColour, since, textTable } from '../table.js'

/** `ocf models`: what can be used now through the running node's gateway. */
export async function runModels(
  needs: { io: CliIo; client: ControlClient },
  options: { json: boolean },
): Promise<number> {
  const { io, client } = needs
  const models = await client.call('models.list', {})
  io.stdout.write(options.json ? `${JSON.stringify(models, null, 2)}\n` : modelsText(models, mayColour(io)))
  return EXIT.ok
}

function modelsText(models: ModelView[], colour: boolean): string {
  if (models.length === 0)
    return 'No model is available yet. Share one of this machine, or wait until a peer offers one.\n'
  const rows = models.map((model) => [
    model.id,
    providersText(model),
    model.visibility === null ? '' : SHARED_WITH[model.visibility],
    model.contextLength === undefined ? '' : `${model.contextLength} tokens`,
  ])
  return textTable(['MODEL', 'PROVIDERS', 'THIS MACHINE', 'CONTEXT'], rows, { colour })
}

const SHARED_WITH = { me: 'not shared', trusted: 'shared with trusted', everyone: 'shared' } as const

/** `3`, or `3, 1 trusted` where peers that the person trusts are among them. */
function providersText({ providers }: ModelView): string {
  const trusted = providers.filter((provider) => provider.trusted && !provider.self).length
  return `${providers.length}${trusted === 0 ? '' : `, ${trusted} trusted`}`
}

const MAX_OFFERS = 3

/** `ocf peers`: the peers the running node knows, connected ones first. */
export async function runPeers(
  needs: { io: CliIo; client: ControlClient },
  options: { json: boolean },
): Promise<number> {
  const { io, client } = needs
  const peers = await client.call('peers.list', {})
  io.stdout.write(options.json ? `${JSON.stringify(peers, null, 2)}\n` : peersText(peers, Date.now(), mayColour(io)))
  return EXIT.ok
}

function peersText(peers: PeerView[], nowMs: number, colour: boolean): string {
  if (peers.length === 0) return 'No peer is known yet. `ocf doctor` explains why.\n'
  const rows = peers
    .toSorted((a, b) => Number(b.connected) - Number(a.connected))
    .map((peer) => [
      peer.peerId,
      pathOf(peer),
      peer.rttMs === undefined ? '' : peer.rttMs < 1 ? '<1 ms' : `${Math.round(peer.rttMs)} ms`,
      peer.connectedAtMs === null ? '' : since(peer.connectedAtMs, nowMs),
      offers(peer.offers),
    ])
  return textTable(['PEER', 'PATH', 'RTT', 'SINCE', 'OFFERS'], rows, { colour })
}

/** `direct-tcp`, `relayed by …7foe`, or `not connected, unproven` for one that may not be there at all. */
function pathOf({ connected, standing, paths, relays }: PeerView): string {
  if (!connected) return standing === 'proven' ? 'not connected' : `not connected, ${standing}`
  const [relay] = relays ?? []
  return relay === undefined ? (paths[0] ?? 'connected') : `relayed by …${relay.slice(-6)}`
}

function offers(all: string[]): string {
  const more = all.length - MAX_OFFERS
  return `${all.slice(0, MAX_OFFERS).join(', ')}${more > 0 ? ` and ${more} more` : ''}`
}
