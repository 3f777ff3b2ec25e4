import type { Service } from '../../base/lifecycle.js'
import { Bitswap } from '../bitswap/bitswap.js'
import type { GoNetworkNeeds } from '../index.js'
import type { GoRow } from '../reading/go-row.js'
import { GoGossip } from './gossip.js'
import { History } from './history.js'
import { Publisher } from './publisher.js'

/** This node as a provider of the Go network. */
export interface GoSharing {
  /** Runs behind the peer listener: whoever hears of this node may use it at once. Its stop says good-bye. */
  service: Service
  /** A node of the Go network shows this of this node. */
  shown(peerId: string, own: GoRow | undefined): void
  view(): ReturnType<Publisher['view']>
}

/** Record, blocks and gossip of a provider; `nodes` are those of the Go network that are connected. */
export function createSharing(needs: GoNetworkNeeds & { nodes: () => readonly string[] }): GoSharing {
  const { host, shared, clock, monotonic, log, nodes } = needs
  const history = new History({
    ...{ monotonic, log },
    fetch: (cid, namedBy, signal) => bitswap.fetch(cid, [namedBy, ...nodes()], signal),
    onBlock: (cid, block) => publisher.seen(cid, block),
  })
  const publisher: Publisher = new Publisher({
    ...{ peerId: host.peerId, models: () => shared.models(), history, clock, monotonic, log },
    broadcast: (heads) => gossip.broadcast(heads),
    sayHere: () => gossip.sayHere(),
    isMet: () => nodes().length > 0,
  })
  const gossip: GoGossip = new GoGossip({
    ...{ host, monotonic, log },
    onHeads(heads, from) {
      for (const cid of heads) publisher.taken(cid)
      history.heard(heads, from)
    },
    onSubscriber: () => publisher.met(),
  })
  const bitswap: Bitswap = new Bitswap({
    ...{ host, monotonic, log },
    ownBlock: (cid) => publisher.block(cid),
    onGiven: (cid) => publisher.taken(cid),
  })
  let unfollow = (): void => undefined

  return {
    service: {
      name: 'go-network-sharing',
      async start(signal) {
        signal.throwIfAborted()
        await bitswap.start()
        gossip.start()
        unfollow = shared.subscribe(() => publisher.changed())
        publisher.start()
      },
      async stop() {
        unfollow()
        await publisher.stop()
        history.stop()
        gossip.stop()
        await bitswap.stop()
      },
    },
    shown(peerId, own) {
      publisher.nodes(nodes())
      publisher.shown(peerId, own)
    },
    view: () => publisher.view(),
  }
}
