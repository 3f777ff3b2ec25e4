import type { ModelView } from '#shared/contract/models/models.js'
import type { PeerView, Standing } from '#shared/contract/network/peers.js'

/** Peers by their id. */
export function peersById(peers: readonly PeerView[]): ReadonlyMap<string, PeerView> {
  return new Map(peers.map((peer) => [peer.peerId, peer]))
}

/** A peer that stands so answers, or did so lately: a request to it opens a connection. */
const ANSWERS: readonly Standing[] = ['proven', 'doubtful']

/** Whether a request to a model would reach someone: this computer, a connected peer, or one that answered lately. */
export function isReachable(model: ModelView, peers: ReadonlyMap<string, PeerView>): boolean {
  if (model.local) return true
  return model.providers.some(({ peerId, connected }) => {
    const standing = peers.get(peerId)?.standing
    return standing === 'away' ? false : connected || (standing !== undefined && ANSWERS.includes(standing))
  })
}

/** The built-in model of a node that has no real one: a toy that shows the way of a request. */
export const DEMO_MODEL = 'ocf-demo'

/** Models of these kinds answer no chat; a model whose kind no server told is taken for one that does. */
const NO_CHAT: ReadonlySet<string> = new Set(['embedding', 'rerank', 'image', 'audio'])

/** Whether one can talk to a model. */
export function canChat({ kind }: Pick<ModelView, 'kind'>): boolean {
  return kind === undefined || !NO_CHAT.has(kind)
}

/** Whether a model reads pictures; undefined where nothing is told of it. */
export function canSee({ capabilities }: Pick<ModelView, 'capabilities'>): boolean | undefined {
  return capabilities?.includes('vision')
}
