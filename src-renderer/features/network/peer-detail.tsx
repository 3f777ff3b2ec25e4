import type { PeerView } from '#shared/contract/network/peers.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFeed } from '../../stores/hooks.js'
import { linkTo } from '../../stores/route.js'
import { firstByteWith } from '../../stores/traffic-figures.js'
import { goTo } from '../../stores/use-route.js'
import { formatMs, shortPeerId } from '../../strings/format.js'
import { strings } from '../../strings.js'
import { CopyButton } from '../../ui/controls/copy-button.js'
import { Dialog } from '../../ui/controls/dialog.js'
import { Notice } from '../../ui/feedback/notice.js'
import { Facts } from '../../ui/layout/facts.js'
import { Badge } from '../../ui/text/badge.js'
import { PathBadge } from '../../ui/text/path-badge.js'
import { PeerMark, PeerName } from '../../ui/text/peer-name.js'
import { TimeAgo } from '../../ui/text/time-ago.js'
import { UnsignedBadge } from '../../ui/text/unsigned-badge.js'
import { Visible } from '../../ui/text/visible.js'
import styles from './network-page.module.css'
import { PeerDoctor } from './peer-doctor.js'

const { detail: words, ...network } = strings.network

/** One peer with everything that is known of it. */
export function PeerDetail({ peerId, peer }: { peerId: string; peer: PeerView | undefined }) {
  const traffic = dataOf(useFeed('traffic')) ?? []
  return (
    <Dialog
      kind="sheet"
      onClose={() => goTo('network')}
      title={
        <span className={styles['peerTitle']}>
          <PeerMark peerId={peerId} size={24} /> {words.title} <code>{shortPeerId(peerId)}</code>
        </span>
      }
    >
      {peer === undefined ? (
        <Notice tone="neutral">{words.gone}</Notice>
      ) : (
        <>
          <Facts facts={factsOf(peer, firstByteWith(traffic, peerId))} />
          <PeerDoctor peerId={peerId} />
        </>
      )}
    </Dialog>
  )
}

function factsOf(peer: PeerView, firstByte: ReturnType<typeof firstByteWith>) {
  const models = modelsOf(peer.offers)
  const relays = peer.relays ?? []
  return [
    ...(peer.unsigned === true
      ? [
          {
            name: network.unsigned.title,
            value: (
              <>
                <UnsignedBadge /> <small>{network.unsigned.hint}</small>
              </>
            ),
          },
        ]
      : []),
    {
      name: network.peerId,
      value: (
        <span className={styles['copyable']}>
          <code>{peer.peerId}</code>
          <CopyButton text={peer.peerId} />
        </span>
      ),
    },
    {
      name: network.column.path,
      value:
        peer.paths.length === 0 ? (
          <Badge>{network.notConnected}</Badge>
        ) : (
          <ul className={styles['list']}>
            {peer.paths.map((path) => (
              <li key={path}>
                <PathBadge path={path} /> <small>{network.pathHint[path]}</small>
              </li>
            ))}
          </ul>
        ),
    },
    ...(relays.length === 0
      ? []
      : [
          {
            name: words.through,
            hint: strings.glossary.relay,
            value: relays.map((relay) => <PeerName key={relay} peerId={relay} />),
          },
        ]),
    {
      name: network.column.rtt,
      hint: strings.glossary.rtt,
      value: peer.rttMs === undefined ? strings.unknown : formatMs(peer.rttMs),
    },
    ...(['out', 'in'] as const).flatMap((direction) => {
      const ms = firstByte[direction]
      return ms === null ? [] : [{ name: words.firstByte[direction], hint: words.firstByteHint, value: formatMs(ms) }]
    }),
    {
      name: network.column.since,
      value: peer.connectedAtMs === null ? strings.unknown : <TimeAgo atMs={peer.connectedAtMs} />,
    },
    {
      name: network.column.direction,
      value: peer.direction === null ? strings.unknown : network.direction[peer.direction],
    },
    { name: network.column.version, value: peer.version === '' ? strings.unknown : peer.version },
    {
      name: words.models,
      value:
        models.length === 0 ? (
          network.noOffers
        ) : (
          <ul className={styles['list']}>
            {models.map((id) => (
              <li key={id}>
                <a href={linkTo('models', id)}>
                  <code>
                    <Visible text={id} />
                  </code>
                </a>
              </li>
            ))}
          </ul>
        ),
    },
    {
      name: words.remote,
      value:
        peer.multiaddrs.length === 0 ? (
          strings.unknown
        ) : (
          <ul className={styles['list']}>
            {peer.multiaddrs.map((address) => (
              <li key={address}>
                <code>{address}</code>
              </li>
            ))}
          </ul>
        ),
    },
  ]
}

function modelsOf(offers: readonly string[]): string[] {
  const ids = offers.flatMap((offer) => (offer.startsWith('llm:model=') ? [offer.slice('llm:model='.length)] : []))
  return [...new Set(ids)].filter((id) => id !== '*')
}
