import { count, formatNumber } from './format.js'

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
  mapHint: (left: number) =>
    left === 0
      ? 'Point at a peer to see how you reach it; click it for details.'
      : `${count(left, 'more peer')}, in the table below.`,
  offering: (n: number) => (n === 0 ? '' : `offers ${count(n, 'model')}`),
  running: (n: number) => `${count(n, 'request')} running`,
  isRelay: 'a relay for others',
  legend: { direct: 'Direct', punched: 'Hole punched', relayed: 'Relayed', known: 'Known, not connected' },
  peerLabel: (id: string, how: string) => `Peer ${id}: ${how}`,
  self: 'This node',
  peerId: 'Peer id',
  addresses: 'Addresses others can reach it at',
  moreAddresses: (n: number) => `${n} more`,
  copyAddress: (address: string) => `Copy ${address}`,
  showStrangers: (n: number) => `Show ${count(n, 'stranger')}`,
  hideStrangers: 'Hide strangers',
  noAddresses: 'None: this node has no address that others can reach.',
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
  unsigned: {
    name: 'Unsigned network',
    hint: 'A provider on the OpenTela network, whose provider list is unsigned. This node asked it directly what it offers. To you it is a stranger.',
    title: 'OpenTela network',
    meaning:
      'The network of another program. Its provider list is unsigned, so each provider is shown only as it describes itself.',
    takesPart: 'This node',
    mode: { use: 'Uses its models', share: 'Uses its models, and offers its own' },
    nodes: 'Its nodes',
    connected: (n: number) => (n === 0 ? 'None connected' : `${formatNumber(n)} connected`),
    providers: 'Its providers',
    providing: (n: number) => (n === 0 ? 'None found yet' : count(n, 'provider')),
    offered: 'Offered there',
    offering: (models: number, listedBy: number, notListedBy: number) =>
      models === 0
        ? 'Nothing: nothing is shared with everyone.'
        : `${count(models, 'model')}, listed by ${listedBy} of ${count(listedBy + notListedBy, 'node')} asked`,
    builds:
      'Some nodes don’t list this one: by default they only accept builds signed by the makers of OpenTela. You can still use their models.',
  },
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
    firstByte: { out: 'First byte, from it', in: 'First byte, to it' },
    firstByteHint: 'Median of recent requests.',
    models: 'Models',
    gone: 'This peer is no longer connected or in the node table.',
  },
}
