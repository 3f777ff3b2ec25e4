import type { Connection, Libp2p } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { createConnector } from '../../../../src-main/p2p/dial/connect.js'

const PEER = '12D3KooWGRUFBDQB7ZCJ4QG1YQv5kDTJwZ3T1Xg6QBMsbLHwoVxR'

test('a dial that fails because the other end dialled at the same moment gives the connection there is', async () => {
  const theirs = { status: 'open', remoteAddr: '/ip4/5.0.0.1/tcp/1', remotePeer: PEER } as unknown as Connection
  const open: Connection[] = []
  const libp2p = {
    getConnections: () => open,
    peerStore: {
      has: () => Promise.resolve(true),
      get: () => Promise.resolve({ addresses: [{ multiaddr: '/ip4/5.0.0.1/tcp/1' }] }),
      all: () => Promise.resolve([]),
      merge: () => Promise.resolve(),
    },
    dial() {
      open.push(theirs)
      return Promise.reject(new Error('Remote closed connection during opening'))
    },
  }
  const connector = createConnector({ libp2p: () => libp2p as unknown as Libp2p })
  expect(await connector.connect(PEER, AbortSignal.timeout(1_000))).toBe(theirs)
})
