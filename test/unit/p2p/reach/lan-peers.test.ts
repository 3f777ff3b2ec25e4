import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { LanPeers } from '../../../../src-main/p2p/reach/lan-peers.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

const MINUTE_MS = 60_000
const at = (ip: string): string[] => [`/ip4/${ip}/tcp/43905/p2p/A`]

function lanPeers() {
  const peers = new LanPeers({ clock: Date, monotonic: { elapsedMs: () => Date.now() } })
  let changes = 0
  peers.onChanged(() => (changes += 1))
  return { peers, changes: () => changes }
}

test('a node of the local network is listed from when it was first heard, and its change of address is told', () => {
  const { peers, changes } = lanPeers()
  const sinceMs = Date.now()
  peers.heard('A', at('192.168.7.2'))
  vi.advanceTimersByTime(2 * MINUTE_MS)
  peers.heard('A', at('192.168.7.2'))
  expect(changes()).toBe(1)
  peers.heard('A', at('192.168.7.3'))
  expect(changes()).toBe(2)
  expect(peers.list()).toEqual([{ peerId: 'A', addresses: at('192.168.7.3'), sinceMs }])
})

test('a node of the local network that is silent for five minutes is forgotten, and that is told', () => {
  const { peers, changes } = lanPeers()
  peers.heard('A', at('192.168.7.2'))
  vi.advanceTimersByTime(5 * MINUTE_MS)
  expect(peers.list()).toEqual([])
  expect(changes()).toBe(2)
})

test('however many peer ids are told of in the local network, 256 are kept', () => {
  const { peers } = lanPeers()
  for (let index = 0; index < 1_000; index += 1) peers.heard(String(index), at('192.168.7.2'))
  expect(peers.list()).toHaveLength(256)
})
