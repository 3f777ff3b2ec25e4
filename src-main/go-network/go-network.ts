import type { Service } from '../base/lifecycle.js'
import { createPeerClients, type HostOptions } from '../p2p/index.js'
import { bitswapRule } from './bitswap/bitswap.js'
import { GO_TOPICS } from './publishing/gossip.js'
import { createSharing, type GoSharing } from './publishing/sharing.js'
import { GoPeers } from './reading/go-peers.js'
import { joinTable } from './reading/joined-table.js'
import { GoProviders } from './reading/providers.js'
import { GoReader } from './reading/reader.js'
import type { GoNetwork, GoNetworkMode, GoNetworkNeeds } from './index.js'

/** How long a provider of that network may take to be reached, ms. */
const CONNECT_WITHIN_MS = 8_000

/** What the host has to be made with; nothing, unless this node is to be a provider of that network. */
export function goHostOptions(mode: GoNetworkMode): Pick<HostOptions, 'signedTopics' | 'streamRules'> {
  return mode === 'share' ? { signedTopics: GO_TOPICS, streamRules: [bitswapRule()] } : {}
}

/** This node's part in a network of the Go implementation. With `off` it does nothing and has nothing. */
export function createGoNetwork(needs: GoNetworkNeeds, options: { mode: GoNetworkMode }): GoNetwork {
  const { mode } = options
  if (mode === 'off') return nothing(needs)
  const log = needs.log.forComponent('go-network')
  const { host, table, monotonic } = needs
  const clients = createPeerClients({ host, log }, { connectTimeoutMs: () => CONNECT_WITHIN_MS })
  const peers = new GoPeers({ clients })
  const providers = new GoProviders()
  const stopping = new AbortController()
  const reader: GoReader = new GoReader({
    ...{ host, table, peers, providers, monotonic, log },
    onOwnRow: (peerId, own) => sharing?.shown(peerId, own),
  })
  const sharing: GoSharing | undefined =
    mode === 'share' ? createSharing({ ...needs, log, nodes: () => reader.nodes }) : undefined

  const reading: Service = {
    name: 'go-network',
    async start(signal) {
      await clients.start(signal)
      reader.start()
    },
    async stop() {
      stopping.abort()
      await reader.stop()
      await clients.stop()
    },
  }

  return {
    reading,
    publishing: sharing?.service ?? NO_SERVICE,
    table: joinTable(table, {
      providers,
      isThere: (peerId) => peers.isThere(peerId, stopping.signal),
      nowMs: () => monotonic.elapsedMs(),
    }),
    isProvider: (peerId) => providers.has(peerId) && table.get(peerId) === undefined,
    view: () => ({
      ...{ mode, nodes: reader.nodes.length, providers: providers.size },
      ...(sharing === undefined ? {} : { shared: sharing.view() }),
    }),
  }
}

const NO_SERVICE: Service = { name: 'go-network', start: () => Promise.resolve(), stop: () => Promise.resolve() }

function nothing({ table }: GoNetworkNeeds): GoNetwork {
  return { reading: NO_SERVICE, publishing: NO_SERVICE, table, isProvider: () => false, view: () => undefined }
}
