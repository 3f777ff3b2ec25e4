import type { GoNetworkView } from '#shared/contract/network/go-network.js'
import { strings } from '../../strings.js'
import { Notice } from '../../ui/feedback/notice.js'
import { Card } from '../../ui/layout/card.js'
import { Facts } from '../../ui/layout/facts.js'
import { UnsignedBadge } from '../../ui/text/unsigned-badge.js'

const { unsigned: words } = strings.network

/** This node's part in the unsigned network, and whether its nodes take what is offered there. */
export function GoNetworkCard({ view: { mode, nodes, providers, shared } }: { view: GoNetworkView }) {
  return (
    <Card title={words.title} aside={<UnsignedBadge />}>
      <p>{words.meaning}</p>
      <Facts
        facts={[
          { name: words.takesPart, value: words.mode[mode] },
          { name: words.nodes, value: words.connected(nodes) },
          { name: words.providers, value: words.providing(providers) },
          ...(shared === undefined
            ? []
            : [{ name: words.offered, value: words.offering(shared.models, shared.listedBy, shared.notListedBy) }]),
        ]}
      />
      {shared !== undefined && shared.notListedBy > 0 && <Notice tone="warn">{words.builds}</Notice>}
    </Card>
  )
}
