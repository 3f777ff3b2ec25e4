import type { Connection, PeerId } from '@libp2p/interface'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { deadPeerBehind } from '../../../../../src-main/p2p/hardening/liveness/dead-peer.js'
import { watchNetwork } from '../../../../../src-main/p2p/hardening/liveness/network-watch.js'
import { createRecordingLog } from '../../../../fixtures/recording-log.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => {
  for (const stop of stops.splice(0)) stop()
  vi.useRealTimers()
})
const stops: (() => void)[] = []

function start(...connections: Connection[]) {
  const events = new EventTarget()
  const machine = { addresses: ['127.0.0.1', '192.168.1.2', '10.0.0.7'], wallMs: 0, ms: 0, cpuMs: 0 }
  const superseded: Connection[] = []
  stops.push(
    watchNetwork({
      libp2p: {
        getConnections: (peerId?: PeerId) =>
          connections.filter(({ remotePeer }) => peerId === undefined || remotePeer === peerId),
        addEventListener: events.addEventListener.bind(events),
        removeEventListener: events.removeEventListener.bind(events),
      },
      liveness: { superseded: (connection) => superseded.push(connection) },
      clock: { now: () => machine.wallMs },
      monotonic: { elapsedMs: () => machine.ms },
      cpuMs: () => machine.cpuMs,
      addresses: () => new Set(machine.addresses),
      log: createRecordingLog(),
    }),
  )
  async function pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 1) {
      machine.wallMs += 1_000
      machine.ms += 1_000
      await vi.advanceTimersByTimeAsync(1_000)
    }
  }
  const open = (connection: Connection): boolean =>
    events.dispatchEvent(Object.assign(new Event('connection:open'), { detail: connection }))
  return { machine, superseded, pass, open }
}

function connectionFrom(localAddress: string | undefined, remote = '/ip4/5.0.0.1/tcp/1', peer = 'one') {
  const maConn = localAddress === undefined ? {} : { socket: { localAddress } }
  return {
    ...{ maConn, remotePeer: peer, status: 'open', remoteAddr: `${remote}/p2p/${peer}` },
    abort: vi.fn(),
    newStream: vi.fn((): Promise<unknown> => Promise.reject(new Error('no'))),
  }
}
const as = (connection: object): Connection => connection as Connection

test('a connection whose local address this machine no longer has is closed within a second', async () => {
  const [lost, kept] = [connectionFrom('::ffff:192.168.1.2'), connectionFrom('10.0.0.7')]
  const { machine, pass, superseded } = start(as(lost), as(kept))
  await pass(10)
  expect(lost.abort).not.toHaveBeenCalled()
  machine.addresses = ['127.0.0.1', '10.0.0.7', '192.168.7.7']
  await pass(1)
  expect(lost.abort).toHaveBeenCalledOnce()
  // The peer behind it may be well: what it was asked may be asked over another way.
  expect(deadPeerBehind((lost.abort.mock.calls as unknown[][])[0]?.[0])).toMatchObject({ peerMayBeWell: true })
  expect(kept.abort).not.toHaveBeenCalled()
  expect(superseded).toEqual([])
})

test('a connection that hides its local address is closed unless it answers when an address of this machine goes', async () => {
  const hidden = (remote: string) => connectionFrom(undefined, remote)
  const [lost, kept, near] = [
    hidden('/ip4/5.0.0.1/udp/1/quic-v1'),
    hidden('/ip4/5.0.0.2/udp/1/quic-v1'),
    hidden('/ip4/127.0.0.1/udp/1/quic-v1'),
  ]
  kept.newStream.mockImplementation(() => Promise.resolve({ abort: () => undefined }))
  const { machine, pass } = start(as(lost), as(kept), as(near))
  machine.addresses = ['127.0.0.1']
  await pass(3)
  expect([lost, kept, near].map(({ newStream }) => newStream.mock.calls.length)).toEqual([1, 1, 0])
  expect([lost, kept, near].map(({ abort }) => abort.mock.calls.length)).toEqual([1, 0, 0])
})

test.each([
  ['both clocks jump', 60_000, 60_000],
  ['only the wall clock goes on', 60_000, 0],
  ['only the monotonic clock goes on', 0, 60_000],
])('all connections are pinged after this machine slept, where %s', async (_name, wallMs, ms) => {
  const dead = connectionFrom('10.0.0.7')
  const { machine, pass } = start(as(dead))
  await pass(3)
  expect(dead.newStream).not.toHaveBeenCalled()
  machine.wallMs += wallMs
  machine.ms += ms
  await pass(1)
  expect(dead.newStream).toHaveBeenCalledOnce()
  expect(dead.abort).toHaveBeenCalledOnce()
})

test('a process that was at work all the time, if with a part of a processor, did not sleep', async () => {
  const busy = connectionFrom('10.0.0.7')
  const { machine, pass } = start(as(busy))
  await pass(3)
  machine.wallMs += 15_000
  machine.ms += 15_000
  machine.cpuMs += 3_000
  await pass(1)
  expect(busy.newStream).not.toHaveBeenCalled()
  // A second of work before the lid is closed does not hide an hour of sleep.
  machine.wallMs += 3_600_000
  machine.cpuMs += 1_000
  await pass(1)
  expect(busy.newStream).toHaveBeenCalledOnce()
})

test('an older connection of a peer has to answer when the peer connects anew', () => {
  const relayed = connectionFrom(undefined, '/ip4/5.0.0.2/tcp/1/p2p/12D3Relay/p2p-circuit')
  const [older, other, newer] = [
    connectionFrom('10.0.0.7'),
    connectionFrom('10.0.0.7', '/ip4/5.0.0.9/tcp/1', 'two'),
    connectionFrom('10.0.0.7'),
  ]
  const { open, superseded } = start(as(relayed), as(older), as(other), as(newer))
  open(as(newer))
  expect(superseded).toEqual([older])
})
