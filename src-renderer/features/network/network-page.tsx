import { useEffect, useRef, useState } from 'react'
import type { PeerView } from '#shared/contract/network/peers.js'
import type { Status } from '#shared/contract/node/node.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFeed } from '../../stores/hooks.js'
import { DOCTOR_ITEM, INVITE_ITEM, JOIN_ITEM } from '../../stores/route.js'
import { goTo } from '../../stores/use-route.js'
import { strings } from '../../strings.js'
import { Button } from '../../ui/controls/button.js'
import { Empty } from '../../ui/feedback/empty.js'
import { FeedView, WhenReady } from '../../ui/feedback/feed-view.js'
import { SearchBox } from '../../ui/inputs/search-box.js'
import { JoinCard } from '../../ui/join/join-card.js'
import { Card } from '../../ui/layout/card.js'
import { Page } from '../../ui/layout/page.js'
import { DataTable } from '../../ui/table/data-table.js'
import { Words } from '../../ui/text/words.js'
import { BootstrapCard } from './bootstrap-card.js'
import { PEER_COLUMNS } from './columns.js'
import { DoctorCard } from './doctor-card.js'
import { GoNetworkCard } from './go-network-card.js'
import styles from './network-page.module.css'
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
  const others = [useFeed('people'), useFeed('invites'), useFeed('bootstrap'), useFeed('doctor'), useFeed('nearby')]
  return (
    <Page name={strings.nav.network} sentence={known === undefined ? strings.state.loading : sentenceFor(known)}>
      <WhenReady states={[peers, status, ...others]}>
        <PeopleCard isInviting={item === INVITE_ITEM} />
        <JoinPlace isWanted={item === JOIN_ITEM} />
        <FeedView state={peers}>{(list) => <Peers peers={list} mode={dataOf(status)?.mode} />}</FeedView>
        <FeedView state={status}>{(self) => <SelfCard status={self} />}</FeedView>
        <UnsignedNetwork view={dataOf(status)?.goNetwork} />
        <BootstrapCard mode={dataOf(status)?.mode} />
        <DoctorCard isWanted={item === DOCTOR_ITEM} />
      </WhenReady>
      {item !== undefined && !PLACES.has(item) && known !== undefined && (
        <PeerDetail peerId={item} peer={known.find((peer) => peer.peerId === item)} />
      )}
    </Page>
  )
}

/** Items that are a place on the page; every other one is a peer. */
const PLACES: ReadonlySet<string> = new Set([DOCTOR_ITEM, INVITE_ITEM, JOIN_ITEM])

/** Only where this node takes part in it. */
function UnsignedNetwork({ view }: { view: Status['goNetwork'] }) {
  return view === undefined ? null : <GoNetworkCard view={view} />
}

/** The way into a network; where somebody came for it, its field has the focus. */
function JoinPlace({ isWanted }: { isWanted: boolean }) {
  const place = useRef<HTMLDivElement>(null)
  useEffect(() => {
    if (isWanted) place.current?.querySelector<HTMLElement>('input, textarea')?.focus()
  }, [isWanted])
  return (
    <div ref={place}>
      <JoinCard />
    </div>
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
  const [isUnfolded, setUnfolded] = useState(false)
  const found = peers
    .filter(({ peerId, offers }) =>
      `${peerId} ${names.get(peerId) ?? ''} ${offers.join(' ')}`.toLowerCase().includes(wanted),
    )
    .sort(
      (a, b) =>
        Number(names.has(b.peerId)) - Number(names.has(a.peerId)) ||
        Number(b.connected) - Number(a.connected) ||
        (a.peerId < b.peerId ? -1 : 1),
    )
  const friends = found.filter(({ peerId }) => names.has(peerId))
  const strangers = found.length - friends.length
  // Strangers are folded below the people one knows, where both are there and nothing is searched for.
  const isFoldable = friends.length > 0 && strangers > 0 && wanted === ''
  const rows = isFoldable && !isUnfolded ? friends : found
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
        {isFoldable && (
          <div className={styles['strangers']}>
            <Button pressed={isUnfolded} onClick={() => setUnfolded(!isUnfolded)}>
              {isUnfolded ? words.hideStrangers : words.showStrangers(strangers)}
            </Button>
          </div>
        )}
      </Card>
    </>
  )
}
