import type { PeerView } from '#shared/contract/network/peers.js'
import { linkTo } from '../../stores/route.js'
import { formatMs, shortPeerId } from '../../strings/format.js'
import { strings } from '../../strings.js'
import type { Column } from '../../ui/table/data-table.js'
import { Badge } from '../../ui/text/badge.js'
import { PathBadge } from '../../ui/text/path-badge.js'
import { PeerName } from '../../ui/text/peer-name.js'
import { TimeAgo } from '../../ui/text/time-ago.js'
import { UnsignedBadge } from '../../ui/text/unsigned-badge.js'
import { Visible } from '../../ui/text/visible.js'

const { column, ...words } = strings.network

/** The columns of the peers' table. */
export const PEER_COLUMNS: readonly Column<PeerView>[] = [
  {
    key: 'peer',
    header: column.peer,
    hint: strings.glossary.peer,
    width: 150,
    cell: (peer) => <PeerName peerId={peer.peerId} isStop={false} />,
  },
  { key: 'path', header: column.path, width: 186, cell: (peer) => <Path peer={peer} /> },
  {
    key: 'rtt',
    header: column.rtt,
    hint: strings.glossary.rtt,
    numeric: true,
    width: 104,
    cell: (peer) => (peer.rttMs === undefined ? strings.unknown : formatMs(peer.rttMs)),
  },
  {
    key: 'offers',
    header: column.offers,
    cell: (peer) => <Offers offers={peer.offers} isUnsigned={peer.unsigned === true} />,
  },
  {
    key: 'version',
    header: column.version,
    minor: 1,
    width: 96,
    cell: (peer) => (peer.version === '' ? strings.unknown : peer.version),
  },
  {
    key: 'direction',
    header: column.direction,
    minor: 1,
    width: 100,
    cell: (peer) => (peer.direction === null ? strings.unknown : words.direction[peer.direction]),
  },
  {
    key: 'since',
    header: column.since,
    width: 110,
    cell: (peer) => (peer.connectedAtMs === null ? strings.unknown : <TimeAgo atMs={peer.connectedAtMs} />),
  },
  {
    key: 'detail',
    header: column.detail,
    width: 84,
    cell: (peer) => (
      <a href={linkTo('network', peer.peerId)} aria-label={words.open(shortPeerId(peer.peerId))}>
        {words.details}
      </a>
    ),
  },
]

function Path({ peer }: { peer: PeerView }) {
  const [best] = peer.paths
  if (best === undefined) return <Badge>{words.notConnected}</Badge>
  return <PathBadge path={best} title={[words.pathHint[best], ...peer.multiaddrs].join('\n')} />
}

function Offers({ offers, isUnsigned }: { offers: readonly string[]; isUnsigned: boolean }) {
  const names = offerNames(offers)
  if (names.length === 0) return words.noOffers
  return (
    <>
      {isUnsigned && <UnsignedBadge />}{' '}
      <span title={names.join('\n')}>
        <Visible text={names.join(', ')} />
      </span>
    </>
  )
}

/** What a peer offers, each once, without the `llm:model=` that models have. */
function offerNames(offers: readonly string[]): string[] {
  return [...new Set(offers.map((offer) => offer.replace(/^llm:(model=)?/, '')))]
}
