import { useRef, useState } from 'react'
import type { PeerView } from '#shared/contract/network/peers.js'
import type { TrafficEntry } from '#shared/contract/node/traffic.js'
import { dataOf } from '../../stores/feed-store.js'
import { useFeed } from '../../stores/hooks.js'
import { linkTo } from '../../stores/route.js'
import { formatMs, shortPeerId } from '../../strings/format.js'
import { strings } from '../../strings.js'
import { Card } from '../../ui/layout/card.js'
import { useWidth } from '../../ui/layout/use-width.js'
import { visibleText } from '../../ui/text/marks.js'
import { peerCells, peerHue } from '../../ui/text/peer-name.js'
import { layoutNetwork, type LineKind, type NetworkLayout, type PlacedPeer } from './layout.js'
import styles from './picture.module.css'

const { network: words } = strings
const KINDS: readonly LineKind[] = ['direct', 'punched', 'relayed', 'known']
const HEIGHT = 360
/** Until the window's is known. */
const USUAL_WIDTH = 1000
/** Marks from this size on have their name below them. */
const LABELLED_FROM = 16
/** A name below a mark has room for about as many characters. */
const NAME_CHARS = 12

/** The network as seen from here: this node in the middle, who is connected how, and where requests run. */
export function Picture({ peers }: { peers: readonly PeerView[] }) {
  const box = useRef<HTMLDivElement>(null)
  const width = useWidth(box) ?? USUAL_WIDTH
  const [shown, setShown] = useState<string>()
  const layout = layoutNetwork(peers, { width, height: HEIGHT })
  const byId = new Map(peers.map((peer) => [peer.peerId, peer]))
  const active = runningByPeer(dataOf(useFeed('traffic')) ?? [])
  const people = new Map((dataOf(useFeed('people')) ?? []).map(({ peerId, label }) => [peerId, label]))
  const nameOf = (peerId: string): string => visibleText(people.get(peerId) ?? shortPeerId(peerId))
  const connected = peers.filter((peer) => peer.connected).length
  const facts = (peerId: string): string => {
    const peer = byId.get(peerId)
    if (peer === undefined) return ''
    const running = active.get(peerId) ?? 0
    return [howOf(peer), words.offering(modelsOf(peer)), running === 0 ? '' : words.running(running)]
      .filter((part) => part !== '')
      .join(' · ')
  }
  return (
    <Card title={words.picture} aside={<Legend />} flush>
      <div ref={box} className={styles['box']}>
        <svg
          className={styles['picture']}
          width={width}
          height={HEIGHT}
          viewBox={`${-width / 2} ${-HEIGHT / 2} ${width} ${HEIGHT}`}
          role="group"
          aria-label={words.pictureLabel(connected, peers.length - connected)}
          onMouseLeave={() => setShown(undefined)}
        >
          <Lines layout={layout} active={active} />
          {layout.peers.map((place) => (
            <Mark
              key={place.peerId}
              place={place}
              radius={layout.mark}
              name={nameOf(place.peerId)}
              facts={facts(place.peerId)}
              onShow={() => setShown(place.peerId)}
            />
          ))}
          <circle r={27} className={styles['me']} />
          <text y={5} className={styles['meName']}>
            {words.me}
          </text>
        </svg>
        <p className={styles['about']}>
          {shown !== undefined && byId.has(shown) ? (
            <>
              <strong>{nameOf(shown)}</strong> {facts(shown)}
            </>
          ) : (
            words.mapHint(layout.left)
          )}
        </p>
      </div>
    </Card>
  )
}

/** Requests that run now, by the peer at their other end. */
function runningByPeer(entries: readonly TrafficEntry[]): ReadonlyMap<string, number> {
  const running = new Map<string, number>()
  for (const { peer, durationMs } of entries) {
    if (peer !== null && durationMs === null) running.set(peer, (running.get(peer) ?? 0) + 1)
  }
  return running
}

function Lines({ layout, active }: { layout: NetworkLayout; active: ReadonlyMap<string, number> }) {
  return layout.lines.map(({ key, kind, x1, y1, x2, y2 }) => (
    <line
      key={key}
      className={`${styles[kind] ?? ''} ${active.has(key) ? styles['active'] : ''}`}
      {...{ x1, y1, x2, y2 }}
    />
  ))
}

function Mark({
  place: { peerId, x, y, kind, isRelay },
  radius,
  name,
  facts,
  onShow,
}: {
  place: PlacedPeer
  radius: number
  name: string
  facts: string
  onShow: () => void
}) {
  const label = words.peerLabel(name, isRelay ? `${words.isRelay}, ${facts}` : facts)
  const hue = peerHue(peerId)
  const cell = (radius * 1.4) / 5
  return (
    <a
      className={styles['peer']}
      href={linkTo('network', peerId)}
      aria-label={label}
      onFocus={onShow}
      onMouseEnter={onShow}
    >
      <g transform={`translate(${x} ${y})`} className={kind === 'known' ? styles['faint'] : undefined}>
        {isRelay && <circle r={radius + 6} className={styles['relay']} />}
        <circle r={radius + 2.5} className={styles['ring']} />
        <circle r={radius} fill={`hsl(${hue} 60% 50% / 18%)`} />
        <path
          d={peerCells(peerId)}
          fill={`hsl(${hue} 62% 50%)`}
          transform={`translate(${-radius * 0.7} ${-radius * 0.7}) scale(${cell})`}
        />
        {radius >= LABELLED_FROM && (
          <text y={radius + 17} className={styles['name']}>
            {name.length > NAME_CHARS ? `${name.slice(0, NAME_CHARS - 1)}…` : name}
          </text>
        )}
      </g>
    </a>
  )
}

function howOf(peer: PeerView): string {
  const [path] = peer.paths
  if (path === undefined) return words.notConnected
  return peer.rttMs === undefined ? words.path[path] : `${words.path[path]} · ${formatMs(peer.rttMs)}`
}

/** How many models a peer offers. */
const modelsOf = ({ offers }: PeerView): number => offers.filter((offer) => offer.startsWith('llm:model=')).length

function Legend() {
  return (
    <span className={styles['legend']}>
      {KINDS.map((kind) => (
        <span key={kind} className={styles['entry']}>
          <svg width="22" height="8" aria-hidden="true">
            <line className={styles[kind]} x1="1" y1="4" x2="21" y2="4" />
          </svg>
          {words.legend[kind]}
        </span>
      ))}
    </span>
  )
}
