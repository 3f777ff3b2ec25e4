import type { ReachablePeers } from '../../gateway/index.js'
import type { GoNetwork } from '../../go-network/index.js'
import type { NodeTable } from '../../node-table/index.js'
import type { Handlers } from '../dispatch.js'
import type { ConnectionsSource } from './peers.js'

/** What the table topic reads. */
export interface TableNeeds {
  connections: Pick<ConnectionsSource, 'peerId' | 'isConnected'>
  table: Pick<NodeTable, 'rows'>
  reachable: Pick<ReachablePeers, 'standing'>
  /** Who is a provider of the Go network, and has no row here; absent: nobody. */
  goNetwork?: Pick<GoNetwork, 'isProvider'>
}

/** `table.rows`. */
export function createTableHandlers(needs: TableNeeds): Pick<Handlers, 'table.rows'> {
  const { connections, table, reachable, goNetwork } = needs
  return {
    'table.rows': ({ all }) =>
      [...table.rows()]
        .filter(({ peerId }) => goNetwork?.isProvider(peerId) !== true)
        .map((row) => {
          const self = row.peerId === connections.peerId
          const connected = self || connections.isConnected(row.peerId)
          const standing = reachable.standing(row.peerId)
          return { ...row, self, connected, standing, record: { ...row.record, connected } }
        })
        .filter((row) => all || row.connected),
  }
}
