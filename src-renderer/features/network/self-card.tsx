import type { Status } from '#shared/contract/node/node.js'
import { strings } from '../../strings/all.js'
import { CopyButton, CopyIcon } from '../../ui/controls/copy-button.js'
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
  const [best, ...others] = forOthers(addresses)
  if (best === undefined) return words.noAddresses
  return (
    <>
      <Address address={best} />
      {others.length > 0 && (
        <details className={styles['more']}>
          <summary>{words.moreAddresses(others.length)}</summary>
          <ul>
            {others.map((address) => (
              <li key={address}>
                <Address address={address} />
              </li>
            ))}
          </ul>
        </details>
      )}
    </>
  )
}

function Address({ address }: { address: string }) {
  return (
    <span className={styles['line']}>
      <code className={styles['long']} title={address}>
        {address}
      </code>
      <CopyIcon text={address} label={words.copyAddress(address)} />
    </span>
  )
}

const LOOPBACK = /^\/(ip4\/127\.|ip6\/::1\/|dns[46]?\/localhost\/)/
const PRIVATE =
  /^\/(ip4\/(10\.|192\.168\.|172\.(1[6-9]|2\d|3[01])\.|169\.254\.|100\.(6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)|ip6\/f[cdef])/

/** Addresses that can be of use to others, the best first: public ones, then those of the local network, then relays. */
function forOthers(addresses: readonly string[]): string[] {
  const rankOf = (address: string): number => (address.includes('/p2p-circuit') ? 2 : PRIVATE.test(address) ? 1 : 0)
  return addresses.filter((address) => !LOOPBACK.test(address)).sort((a, b) => rankOf(a) - rankOf(b))
}
