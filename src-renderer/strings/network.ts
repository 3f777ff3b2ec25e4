import { count } from './format.js'

/** Words of the Network page. */
export const networkStrings = {
  sentence: (peers: number, direct: number) => {
    if (peers === 0) return 'No peer is connected right now.'
    if (peers === 1) return `You are connected to 1 peer, ${direct === 1 ? 'directly' : 'through a relay'}.`
    const how = direct === peers ? 'all directly' : direct === 0 ? 'all through relays' : `${direct} directly`
    return `You are connected to ${count(peers, 'peer')}, ${how}.`
  },
  empty: 'No peers yet.',
  emptyHint: {
    standalone: 'This node runs in standalone mode and connects to no one. Start it with `--mode node` to join.',
    other: 'Check the bootstrap settings, or give another node this node’s address below as its `--bootstrap.addr`.',
  },
  picture: 'Map',
  pictureLabel: (connected: number, known: number) =>
    `This node in the middle, ${count(connected, 'connected peer')} around it, ${count(known, 'known one')} outside. The table below has the same.`,
  me: 'You',
  more: (n: number) => `${count(n, 'more peer')} in the table`,
  legend: { direct: 'Direct', punched: 'Hole punched', relayed: 'Relayed', known: 'Known, not connected' },
  peerLabel: (id: string, how: string) => `Peer ${id}: ${how}`,
  self: 'This node',
  peerId: 'Peer id',
  addresses: 'Addresses others can reach it at',
  noAddresses: 'None: this node listens on no address that others can reach.',
  peers: 'Peers',
  search: 'Name, peer or offer',
  noMatch: 'No matching peers.',
  column: {
    peer: 'Peer',
    path: 'Path',
    rtt: 'Latency',
    offers: 'Offers',
    version: 'Version',
    since: 'Connected',
    direction: 'Connection opened by',
    detail: 'Detail',
  },
  open: (id: string) => `Details of peer ${id}`,
  details: 'Details',
  direction: { inbound: 'them', outbound: 'this node' },
  notConnected: 'Known, not connected',
  path: {
    'direct-quic': 'Direct · QUIC',
    'direct-tcp': 'Direct · TCP',
    'direct-ws': 'Direct · WebSocket',
    'hole-punched': 'Direct · hole punched',
    relayed: 'Relayed',
  },
  pathHint: {
    'direct-quic': 'Directly to the peer over QUIC.',
    'direct-tcp': 'Directly to the peer over TCP.',
    'direct-ws': 'Directly to the peer over a WebSocket.',
    'hole-punched': 'Directly to the peer, through both routers.',
    relayed: 'Through another peer that forwards the encrypted data: slower, and it may be cut off.',
  },
  noOffers: 'nothing',
  bootstrap: {
    title: 'Bootstrap sources',
    column: { source: 'Source', state: 'Last attempt', result: 'Result', asked: 'Asked' },
    state: { ok: 'Answered', waiting: 'Not asked', failed: 'Failed', bad: 'Unusable' },
    hint: {
      ok: 'It returned addresses of peers.',
      waiting: 'It is asked while no peer is connected.',
      failed: 'It will be asked again while no peer is connected.',
      bad: 'It is invalid and never asked.',
    },
    reported: (addresses: number) => `${addresses} ${addresses === 1 ? 'address' : 'addresses'}`,
    empty: 'No bootstrap source is set.',
    emptyHint: {
      standalone: 'In standalone mode this node asks no one.',
      other:
        'Without one, a node waits until another connects to it. Add one in Settings or with `--bootstrap.sources`.',
    },
  },
  detail: {
    title: 'Peer',
    through: 'Through relay',
    remote: 'Connected via',
    models: 'Models',
    gone: 'This peer is neither connected nor in the node table any more.',
  },
}
