import type { PeerView } from '#shared/contract/network/peers.js'
import { linkTo } from '../../stores/route.js'
import { formatMs, shortPeerId } from '../../strings/format.js'
import { strings } from '../../strings.js'
import { Card } from '../../ui/layout/card.js'
import { peerCells, peerHue } from '../../ui/text/peer-name.js'
import { layoutNetwork, type LineKind } from './layout.js'
import styles from './picture.module.css'

const { network: words } = strings
const KINDS: readonly LineKind[] = ['direct', 'punched', 'relayed', 'known']
const MARK = 22

/** The network as seen from here: this node in the middle. */
export function Picture({ peers }: { peers: readonly PeerView[] }) {
  const { peers: placed, lines, left } = layoutNetwork(peers)
  const byId = new Map(peers.map((peer) => [peer.peerId, peer]))
  const connected = peers.filter((peer) => peer.connected).length
  return (
    <Card title={words.picture} aside={<Legend left={left} />} flush>
      <svg
        className={styles['picture']}
        viewBox="-440 -220 880 440"
        role="group"
        aria-label={words.pictureLabel(connected, peers.length - connected)}
      >
        {lines.map((line) => (
          <line key={line.key} className={styles[line.kind]} x1={line.x1} y1={line.y1} x2={line.x2} y2={line.y2} />
        ))}
        {placed.map(({ peerId, x, y, kind }) => {
          const peer = byId.get(peerId)
          const label = words.peerLabel(shortPeerId(peerId), peer === undefined ? '' : howOf(peer))
          return (
            <a key={peerId} className={styles['peer']} href={linkTo('network', peerId)} aria-label={label}>
              <title>{label}</title>
              <g transform={`translate(${x} ${y})`} className={kind === 'known' ? styles['faint'] : undefined}>
                <circle r={19} className={styles['ring']} />
                <circle r={16} fill={`hsl(${peerHue(peerId)} 60% 50% / 18%)`} />
                <path
                  d={peerCells(peerId)}
                  fill={`hsl(${peerHue(peerId)} 62% 50%)`}
                  transform={`translate(${-MARK / 2} ${-MARK / 2}) scale(${MARK / 5})`}
                />
                {placed.length <= MAX_LABELLED && (
                  <text y={34} className={styles['name']}>
                    {shortPeerId(peerId)}
                  </text>
                )}
              </g>
            </a>
          )
        })}
        <circle r={27} className={styles['me']} />
        <text y={5} className={styles['meName']}>
          {words.me}
        </text>
      </svg>
    </Card>
  )
}

/** With more peers than this their names would cover each other. */
const MAX_LABELLED = 24

function howOf(peer: PeerView): string {
  const [path] = peer.paths
  if (path === undefined) return words.notConnected
  return peer.rttMs === undefined ? words.path[path] : `${words.path[path]}, ${formatMs(peer.rttMs)}`
}

function Legend({ left }: { left: number }) {
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
      {left > 0 && <span>{words.more(left)}</span>}
    </span>
  )
}
