import type { Status } from '#shared/contract/node/node.js'
import { strings } from '../../strings.js'
import { CopyButton } from '../../ui/controls/copy-button.js'
import { Card } from '../../ui/layout/card.js'
import { Facts } from '../../ui/layout/facts.js'
import { PeerMark } from '../../ui/text/peer-name.js'
import styles from './network-page.module.css'

const { network: words } = strings

/** Who this node is and where it can be reached. */
export function SelfCard({ status }: { status: Status }) {
  return (
    <Card title={words.self}>
      <Facts
        facts={[
          {
            name: words.peerId,
            value: (
              <span className={styles['line']}>
                <PeerMark peerId={status.peerId} size={22} />
                <code className={styles['long']}>{status.peerId}</code>
                <CopyButton text={status.peerId} />
              </span>
            ),
          },
          { name: strings.settings.mode, value: strings.modes[status.mode] },
          { name: words.addresses, value: <Addresses addresses={status.multiaddrs} /> },
        ]}
      />
    </Card>
  )
}

function Addresses({ addresses }: { addresses: readonly string[] }) {
  if (addresses.length === 0) return words.noAddresses
  return (
    <ul>
      {addresses.map((address) => (
        <li key={address} className={styles['line']}>
          <code className={styles['long']} title={address}>
            {address}
          </code>
          <CopyButton text={address} />
        </li>
      ))}
    </ul>
  )
}
