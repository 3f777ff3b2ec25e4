import type { Status } from '#shared/contract/node.js'
import type { PeerView } from '#shared/contract/peers.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFeed } from '../../stores/hooks.js'
import { strings } from '../../strings.js'
import { Badge } from '../../ui/badge.js'
import { Card } from '../../ui/card.js'
import { CopyButton } from '../../ui/copy-button.js'
import { DataTable, type Column } from '../../ui/data-table.js'
import { Empty } from '../../ui/empty.js'
import { FeedView } from '../../ui/feed-view.js'
import { formatMs } from '../../ui/format.js'
import { Page } from '../../ui/page.js'
import { PeerMark, PeerName } from '../../ui/peer-name.js'
import { TimeAgo } from '../../ui/time-ago.js'
import { Words } from '../../ui/words.js'
import styles from './network-page.module.css'

const { column, ...words } = strings.network

const COLUMNS: readonly Column<PeerView>[] = [
  {
    key: 'peer',
    header: column.peer,
    hint: strings.glossary.peer,
    cell: (peer) => <PeerName peerId={peer.peerId} />,
  },
  { key: 'path', header: column.path, cell: (peer) => <Path peer={peer} /> },
  {
    key: 'rtt',
    header: column.rtt,
    hint: strings.glossary.rtt,
    numeric: true,
    cell: (peer) => (peer.rttMs === undefined ? strings.unknown : formatMs(peer.rttMs)),
  },
  { key: 'offers', header: column.offers, cell: (peer) => <Offers offers={peer.offers} /> },
  {
    key: 'version',
    header: column.version,
    minor: true,
    cell: (peer) => (peer.version === '' ? strings.unknown : peer.version),
  },
  {
    key: 'direction',
    header: column.direction,
    minor: true,
    cell: (peer) => (peer.direction === null ? strings.unknown : words.direction[peer.direction]),
  },
  {
    key: 'since',
    header: column.since,
    cell: (peer) => (peer.connectedAtMs === null ? strings.unknown : <TimeAgo atMs={peer.connectedAtMs} />),
  },
]

/** "Who is there and how do I reach them?" */
export function NetworkPage() {
  const peers = useFeed('peers')
  const status = useFeed('status')
  const known = dataOf(peers)
  return (
    <Page name={strings.nav.network} sentence={known === undefined ? strings.state.loading : sentenceFor(known)}>
      <FeedView state={peers}>{(list) => <Peers peers={list} mode={dataOf(status)?.mode} />}</FeedView>
      <FeedView state={status}>{(self) => <Self status={self} />}</FeedView>
    </Page>
  )
}

function sentenceFor(peers: readonly PeerView[]): string {
  const connected = peers.filter((peer) => peer.connected)
  const direct = connected.filter((peer) => peer.paths.some((path) => path !== 'relayed'))
  return words.sentence(connected.length, direct.length)
}

function Peers({ peers, mode }: { peers: readonly PeerView[]; mode: Status['mode'] | undefined }) {
  const sorted = peers.toSorted((a, b) => Number(b.connected) - Number(a.connected) || (a.peerId < b.peerId ? -1 : 1))
  return (
    <Card title={words.peers} flush>
      {sorted.length === 0 ? (
        <Empty icon="network" title={words.empty}>
          <Words text={words.emptyHint[mode === 'standalone' ? 'standalone' : 'other']} />
        </Empty>
      ) : (
        <DataTable
          label={words.peers}
          columns={COLUMNS}
          rows={sorted}
          rowKey={(peer) => peer.peerId}
          dim={(peer) => !peer.connected}
        />
      )}
    </Card>
  )
}

function Path({ peer }: { peer: PeerView }) {
  const [best] = peer.paths
  if (best === undefined) return <Badge>{words.notConnected}</Badge>
  return (
    <Badge tone={best === 'relayed' ? 'warn' : 'good'} title={peer.multiaddrs.join('\n')}>
      {words.path[best]}
    </Badge>
  )
}

/** Models first, without the `llm:model=` that every entry has. */
function Offers({ offers }: { offers: readonly string[] }) {
  const names = [...new Set(offers.map((offer) => offer.replace(/^llm:(model=)?/, '')))]
  if (names.length === 0) return words.noOffers
  return <span title={names.join('\n')}>{names.join(', ')}</span>
}

function Self({ status }: { status: Status }) {
  return (
    <Card title={words.self}>
      <dl className={styles['facts']}>
        <dt>{words.peerId}</dt>
        <dd className={styles['line']}>
          <PeerMark peerId={status.peerId} size={22} />
          <code className={styles['long']}>{status.peerId}</code>
          <CopyButton text={status.peerId} />
        </dd>
        <dt>{strings.settings.mode}</dt>
        <dd>{strings.modes[status.mode]}</dd>
        <dt>{words.addresses}</dt>
        <dd>
          {status.multiaddrs.length === 0 && words.noAddresses}
          <ul>
            {status.multiaddrs.map((address) => (
              <li key={address} className={styles['line']}>
                <code className={styles['long']} title={address}>
                  {address}
                </code>
                <CopyButton text={address} />
              </li>
            ))}
          </ul>
        </dd>
      </dl>
    </Card>
  )
}
