import { dataOf } from '../../stores/feed-store.js'
import { useFeed } from '../../stores/hooks.js'
import { linkTo } from '../../stores/route.js'
import { shortPeerId } from '../../strings/format.js'
import { strings } from '../../strings.js'
import { CopyIcon } from '../controls/copy-button.js'
import styles from './peer-name.module.css'
import { Visible } from './visible.js'

/**
 * A peer: a mark that is always the same for it, and its name where one trusts it, else its short id. It leads to what is
 * known of the peer; `opens` is false where there is nothing to leave for. Beside it, the whole id is copied. In a row that
 * is itself opened with the keyboard, the keyboard passes it by.
 */
export function PeerName({
  peerId,
  opens = true,
  isStop = true,
}: {
  peerId: string
  opens?: boolean
  /** Whether the keyboard stops at it. */
  isStop?: boolean
}) {
  const person = dataOf(useFeed('people'))?.find((one) => one.peerId === peerId)
  const name = person?.label ?? shortPeerId(peerId)
  const shown = (
    <>
      <PeerMark peerId={peerId} />
      {person === undefined ? (
        <code>{name}</code>
      ) : (
        <span className={styles['label']}>
          <Visible text={name} />
        </span>
      )}
    </>
  )
  return (
    <span className={opens ? styles['peer'] : styles['still']}>
      {opens ? (
        <a
          className={styles['name']}
          href={linkTo('network', peerId)}
          title={peerId}
          tabIndex={isStop ? undefined : -1}
        >
          {shown}
        </a>
      ) : (
        <span className={styles['name']} title={peerId}>
          {shown}
        </span>
      )}
      <span className={styles['copy']}>
        <CopyIcon text={peerId} label={strings.copy.peer(name, peerId)} isStop={isStop} />
      </span>
    </span>
  )
}

const HUES = [8, 36, 96, 152, 190, 220, 262, 318] as const

/** The colour of a peer's mark, in degrees. */
export function peerHue(peerId: string): number {
  return HUES[hash(peerId) % HUES.length] ?? 0
}

/** The path of a peer's mark in a square of 5 × 5: mirrored cells, from the bits of a hash of the id. */
export function peerCells(peerId: string): string {
  const bits = hash(peerId)
  const cells: string[] = []
  for (let y = 0; y < 5; y++) {
    for (let x = 0; x < 3; x++) {
      if (((bits >>> (3 + y * 3 + x)) & 1) === 0) continue
      cells.push(`M${x} ${y}h1v1h-1z`)
      if (x < 2) cells.push(`M${4 - x} ${y}h1v1h-1z`)
    }
  }
  return cells.join('')
}

/** A peer's mark: always the same for it. */
export function PeerMark({ peerId, size = 18 }: { peerId: string; size?: number }) {
  const hue = peerHue(peerId)
  return (
    <svg className={styles['mark']} width={size} height={size} viewBox="-1 -1 7 7" aria-hidden="true">
      <rect x="-1" y="-1" width="7" height="7" rx="1.6" fill={`hsl(${hue} 60% 50% / 20%)`} />
      <path d={peerCells(peerId)} fill={`hsl(${hue} 62% 50%)`} />
    </svg>
  )
}

/** FNV-1a: the same picture on every computer. */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (const character of text) {
    value ^= character.codePointAt(0) ?? 0
    value = Math.imul(value, 0x01000193)
  }
  return value >>> 0
}
