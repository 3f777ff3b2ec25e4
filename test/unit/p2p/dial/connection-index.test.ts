import type { Connection, Libp2p } from '@libp2p/interface'
import { expect, test } from 'vitest'
import { indexConnections } from '../../../../src-main/p2p/dial/connection-index.js'
import { flattenConnections } from '../../../../src-main/p2p/hardening/flat-connections.js'

const connection = (peerId: string, status = 'open') => ({ remotePeer: peerId, status }) as unknown as Connection

test('connections are found by the text of their peer, and gone when they close', () => {
  const libp2p = new EventTarget()
  const index = indexConnections(libp2p as Libp2p)
  const tell = (type: string, detail: Connection) => libp2p.dispatchEvent(new CustomEvent(type, { detail }))
  const [first, second, dead] = [connection('a'), connection('a'), connection('b', 'closed')]
  for (const opened of [first, second, dead]) tell('connection:open', opened)
  expect(index.of('a')).toEqual([first, second])
  // One that closed before anybody was told has no close event to come.
  expect(index.has('b')).toBe(false)

  tell('connection:close', first)
  expect(index.of('a')).toEqual([second])
  tell('connection:close', second)
  expect(index.has('a')).toBe(false)
  expect(index.of('a')).toEqual([])
})

test('the list of all connections holds each once, and that of one peer is the library’s', () => {
  const [a, b, c] = [connection('a'), connection('a'), connection('b')]
  const manager = flattenConnections({
    getConnections: (peerId) => (peerId === undefined ? [] : [a]),
    getConnectionsMap: () =>
      new Map([
        ['a', [a, b]],
        ['b', [c]],
      ]),
  })
  expect(manager.getConnections()).toEqual([a, b, c])
  expect(manager.getConnections('a' as never)).toEqual([a])
})
