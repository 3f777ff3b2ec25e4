import { TypedEventEmitter, type Connection, type Libp2p, type Libp2pEvents } from '@libp2p/interface'
import { multiaddr, type Multiaddr } from '@multiformats/multiaddr'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { createDirectUpgrade, type DirectUpgrade } from '../../../../src-main/p2p/reach/direct-upgrade.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'

const THEM = '12D3KooWGYyELvWYKqNZtPGZLyLDGXyvnkYVSEUx1rYAUBpGmEY8'
const RELAYED = multiaddr(`/ip4/5.0.0.10/tcp/1/p2p/${THEM}/p2p-circuit`)
const CLOSED = '/ip4/192.168.1.2/tcp/1'
const OPENED = '/ip4/5.0.0.2/tcp/1'

/** One relayed peer, and dials that the test ends. */
function relayedPeer() {
  const peerId = { toString: () => THEM }
  const addresses = [CLOSED]
  const dials: { to: string[]; end: (error?: Error) => void }[] = []
  const relayed = { remotePeer: peerId, remoteAddr: RELAYED, status: 'open', streams: [] } as unknown as Connection
  const events = new TypedEventEmitter<Libp2pEvents>()
  const libp2p = Object.assign(events, {
    getConnections: () => [relayed],
    peerStore: { get: () => Promise.resolve({ addresses: addresses.map((text) => ({ multiaddr: multiaddr(text) })) }) },
    dial: async (to: Multiaddr[]) => {
      const { promise, resolve, reject } = Promise.withResolvers<Connection>()
      const end = (error?: Error): void => {
        if (error === undefined) resolve(relayed)
        else reject(error)
      }
      dials.push({ to: to.map(String), end })
      return await promise
    },
  }) as unknown as Libp2p
  return {
    libp2p,
    dials,
    open: () => events.dispatchEvent(new CustomEvent('connection:open', { detail: relayed })),
    learn(address: string) {
      const seen = (list: string[]) => ({ id: peerId, addresses: list.map((text) => ({ multiaddr: multiaddr(text) })) })
      const previous = seen(addresses)
      addresses.push(address)
      const detail = { peer: seen(addresses), previous } as unknown as Libp2pEvents['peer:update']['detail']
      events.dispatchEvent(new CustomEvent('peer:update', { detail }))
    },
  }
}

let them: ReturnType<typeof relayedPeer>
let upgrade: DirectUpgrade
beforeEach(() => {
  vi.useFakeTimers()
  them = relayedPeer()
  upgrade = createDirectUpgrade({ libp2p: them.libp2p, log: createRecordingLog() })
  them.open()
})
afterEach(async () => {
  for (const { end } of them.dials) end()
  await upgrade.stop()
  vi.useRealTimers()
})

test('an address learned while a try is under way is tried as soon as that one ends', async () => {
  await vi.advanceTimersByTimeAsync(6_000)
  expect(them.dials).toHaveLength(1)
  them.learn(OPENED)
  them.dials[0]!.end(new Error('timed out'))
  await vi.advanceTimersByTimeAsync(2_000)
  expect(them.dials).toHaveLength(2)
  expect(them.dials[1]!.to).toContain(`${OPENED}/p2p/${THEM}`)
})

test('without news a try that failed is not repeated at once', async () => {
  await vi.advanceTimersByTimeAsync(6_000)
  them.dials[0]!.end(new Error('timed out'))
  await vi.advanceTimersByTimeAsync(20_000)
  expect(them.dials).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(14_000)
  expect(them.dials).toHaveLength(2)
})
