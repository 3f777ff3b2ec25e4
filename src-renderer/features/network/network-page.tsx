import { useState } from 'react'
import type { PeerView } from '#shared/contract/network/peers.js'
import type { Status } from '#shared/contract/node/node.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFeed } from '../../stores/hooks.js'
import { DOCTOR_ITEM, INVITE_ITEM } from '../../stores/route.js'
import { goTo } from '../../stores/use-route.js'
import { strings } from '../../strings.js'
import { SearchBox } from '../../ui/controls/search-box.js'
import { Empty } from '../../ui/feedback/empty.js'
import { FeedView } from '../../ui/feedback/feed-view.js'
import { JoinCard } from '../../ui/join/join-card.js'
import { Card } from '../../ui/layout/card.js'
import { Page } from '../../ui/layout/page.js'
import { DataTable } from '../../ui/table/data-table.js'
import { Words } from '../../ui/text/words.js'
import { BootstrapCard } from './bootstrap-card.js'
import { PEER_COLUMNS } from './columns.js'
import { DoctorCard } from './doctor-card.js'
import { PeerDetail } from './peer-detail.js'
import { PeopleCard } from './people/people-card.js'
import { Picture } from './picture.js'
import { SelfCard } from './self-card.js'

const { network: words } = strings

/** "Who is there and how do I reach them?" */
export function NetworkPage({ item }: { item: string | undefined }) {
  const peers = useFeed('peers')
  const status = useFeed('status')
  const known = dataOf(peers)
  return (
    <Page name={strings.nav.network} sentence={known === undefined ? strings.state.loading : sentenceFor(known)}>
      <JoinCard />
      <PeopleCard isInviting={item === INVITE_ITEM} />
      <FeedView state={peers}>{(list) => <Peers peers={list} mode={dataOf(status)?.mode} />}</FeedView>
      <FeedView state={status}>{(self) => <SelfCard status={self} />}</FeedView>
      <BootstrapCard mode={dataOf(status)?.mode} />
      <DoctorCard isWanted={item === DOCTOR_ITEM} />
      {item !== undefined && item !== DOCTOR_ITEM && item !== INVITE_ITEM && known !== undefined && (
        <PeerDetail peerId={item} peer={known.find((peer) => peer.peerId === item)} />
      )}
    </Page>
  )
}

function sentenceFor(peers: readonly PeerView[]): string {
  const connected = peers.filter((peer) => peer.connected)
  const direct = connected.filter((peer) => peer.paths.some((path) => path !== 'relayed'))
  return words.sentence(connected.length, direct.length)
}

const rowKey = (peer: PeerView): string => peer.peerId

function Peers({ peers, mode }: { peers: readonly PeerView[]; mode: Status['mode'] | undefined }) {
  const [query, setQuery] = useState('')
  const people = dataOf(useFeed('people')) ?? []
  const names = new Map(people.map(({ peerId, label, ownName }) => [peerId, `${label} ${ownName ?? ''}`]))
  const wanted = query.trim().toLowerCase()
  const rows = peers
    .filter(({ peerId, offers }) =>
      `${peerId} ${names.get(peerId) ?? ''} ${offers.join(' ')}`.toLowerCase().includes(wanted),
    )
    .sort((a, b) => Number(b.connected) - Number(a.connected) || (a.peerId < b.peerId ? -1 : 1))
  if (peers.length === 0) {
    return (
      <Card title={words.peers} flush>
        <Empty icon="network" title={words.empty}>
          <Words text={words.emptyHint[mode === 'standalone' ? 'standalone' : 'other']} />
        </Empty>
      </Card>
    )
  }
  return (
    <>
      <Picture peers={peers} />
      <Card title={words.peers} flush aside={<SearchBox label={words.search} value={query} onChange={setQuery} />}>
        {rows.length === 0 && <Empty icon="search" title={words.noMatch} />}
        {rows.length > 0 && (
          <DataTable
            label={words.peers}
            columns={PEER_COLUMNS}
            rows={rows}
            rowKey={rowKey}
            dim={(peer) => !peer.connected}
            onOpen={(peer) => goTo('network', peer.peerId)}
          />
        )}
      </Card>
    </>
  )
}
