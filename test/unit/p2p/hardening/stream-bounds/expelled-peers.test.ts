import type { Connection, PeerId } from '@libp2p/interface'
import { expect, test, vi } from 'vitest'
import { ExpelledPeers } from '../../../../../src-main/p2p/hardening/stream-bounds/expelled-peers.js'
import { silentLog } from '../../../../fixtures/hosts.js'

const peer = { toString: () => 'peer' } as PeerId

function start() {
  const clock = { nowMs: 0, elapsedMs: () => clock.nowMs }
  const abort = vi.fn()
  const connections = () => [{ abort }, { abort }] as unknown as Connection[]
  return { clock, abort, connections, expelled: new ExpelledPeers({ log: silentLog, clock }) }
}

test('an expelled peer loses its connections and is neither let in nor dialled for ten minutes', () => {
  const { clock, abort, connections, expelled } = start()
  expelled.offended('peer', connections, 'too much', Infinity)
  expect(abort).toHaveBeenCalledTimes(2)
  const { denyDialPeer, denyInboundEncryptedConnection } = expelled.gater
  expect(denyDialPeer?.(peer)).toBe(true)
  expect(denyInboundEncryptedConnection?.(peer, {} as never)).toBe(true)
  clock.nowMs = 10 * 60_000
  expect(denyDialPeer?.(peer)).toBe(false)
})

test('a few offences are overlooked and forgotten, many in a short time expel', () => {
  const { clock, connections, expelled } = start()
  for (let count = 0; count < 32; count += 1) expelled.offended('peer', connections, 'odd')
  expect(expelled.has('peer')).toBe(false)
  clock.nowMs = 32 * 20_000
  for (let count = 0; count < 32; count += 1) expelled.offended('peer', connections, 'odd')
  expect(expelled.has('peer')).toBe(false)
  expelled.offended('peer', connections, 'odd')
  expect(expelled.has('peer')).toBe(true)
})
