import type { Nearby } from '#shared/contract/people/pairing.js'
import { shortPeerId } from '../../strings/format.js'
import { strings } from '../../strings.js'
import { PeerMark } from '../text/peer-name.js'
import { Visible } from '../text/visible.js'
import styles from './pairing.module.css'

const words = strings.pairing

type Facts = Pick<Nearby, 'peerId' | 'name' | 'address'>

/** What a node nearby is called: strangers tell no name, and are told apart by their ids. */
export const nodeName = ({ name, peerId }: Facts): string => name ?? `${words.unknown} ${shortPeerId(peerId)}`

/** A node nearby: its mark, its name or that it is unknown, its id and where it is. */
export function NodeNearby({ node: { peerId, name, address } }: { node: Facts }) {
  return (
    <span className={styles['node']} title={peerId}>
      <PeerMark peerId={peerId} size={20} />
      <strong>
        <Visible text={name ?? words.unknown} />
      </strong>
      <code>{shortPeerId(peerId)}</code>
      {address !== '' && (
        <span className={styles['soft']}>
          <Visible text={words.at(address)} />
        </span>
      )}
    </span>
  )
}
