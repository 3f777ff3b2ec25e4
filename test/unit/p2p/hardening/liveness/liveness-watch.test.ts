import type { Connection } from '@libp2p/interface'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { deadPeerBehind, DeadPeerError } from '../../../../../src-main/p2p/hardening/liveness/dead-peer.js'
import {
  createLivenessProbes,
  type LivenessProbe,
} from '../../../../../src-main/p2p/hardening/liveness/liveness-probe.js'
import { createLivenessWatch } from '../../../../../src-main/p2p/hardening/liveness/liveness-watch.js'
import { createRecordingLog } from '../../../../fixtures/recording-log.js'

beforeEach(() => void vi.useFakeTimers())
afterEach(() => void vi.useRealTimers())

function start() {
  const probes = createLivenessProbes()
  const log = createRecordingLog()
  const all: Connection[] = []
  const inUse = new Set<Connection>()
  const onCut = vi.fn()
  const machine = { stalledMs: 0 }
  const watch = createLivenessWatch({
    clock: { elapsedMs: () => performance.now() + machine.stalledMs },
    probes,
    onCut,
    log,
    connectionsTo: (peerId) => all.filter(({ remotePeer }) => remotePeer.toString() === peerId),
  })

  function connection(peerId: string, address = `/ip4/5.0.0.1/tcp/1/p2p/${peerId}`) {
    const muxer = {}
    const ask = vi.fn()
    const state = { isHeard: false, unsentBytes: 0 }
    const probe: LivenessProbe = {
      ask,
      takeHeard() {
        const { isHeard } = state
        state.isHeard = false
        return isHeard
      },
      unsentBytes: () => state.unsentBytes,
    }
    probes.add(muxer as never, probe)
    const abort = vi.fn(() => void Object.assign(it, { status: 'aborted' }))
    const newStream = vi.fn(() => new Promise(() => undefined))
    const it = { muxer, abort, newStream, status: 'open', remotePeer: peerId, remoteAddr: address }
    all.push(it as unknown as Connection)
    return { connection: it as unknown as Connection, abort, ask, state, newStream, probe }
  }

  watch.follow(() => inUse)
  return { watch, connection, inUse, log, onCut, machine }
}

const pass = (seconds: number) => vi.advanceTimersByTimeAsync(seconds * 1_000)

test('a connection in use that falls silent is asked once, then cut and told of once', async () => {
  const { connection, inUse, log, onCut } = start()
  const silent = connection('one')
  inUse.add(silent.connection)
  await pass(11)
  expect(silent.ask).toHaveBeenCalledOnce()
  expect(silent.abort).toHaveBeenCalledOnce()
  expect(deadPeerBehind((silent.abort.mock.calls as unknown[][])[0]?.[0])).toMatchObject({ peerMayBeWell: false })
  expect(onCut).toHaveBeenCalledExactlyOnceWith(silent.connection)
  await pass(60)
  expect(log.lines).toHaveLength(1)
})

test('one that answers stays, however long it has nothing else to say', async () => {
  const { connection, inUse } = start()
  const thinking = connection('one')
  thinking.ask.mockImplementation(() => void (thinking.state.isHeard = true))
  inUse.add(thinking.connection)
  await pass(300)
  expect(thinking.abort).not.toHaveBeenCalled()
  expect(thinking.ask.mock.calls.length).toBeGreaterThan(50)
})

test('idle ones are left alone, and without any in use no timer runs', async () => {
  const { watch, connection, inUse } = start()
  const idle = connection('one')
  await pass(60)
  expect(idle.ask).not.toHaveBeenCalled()
  expect(vi.getTimerCount()).toBe(0)
  inUse.add(idle.connection)
  watch.wake()
  await pass(11)
  expect(idle.abort).toHaveBeenCalledOnce()
  await pass(60)
  expect(vi.getTimerCount()).toBe(0)
})

test('one whose request ended before it was asked is let go', async () => {
  const { connection, inUse } = start()
  const short = connection('one')
  inUse.add(short.connection)
  await pass(3)
  inUse.clear()
  await pass(60)
  expect(short.ask).not.toHaveBeenCalled()
})

test('a question that was asked is waited for, though the request has ended', async () => {
  const { connection, inUse } = start()
  const silent = connection('one')
  inUse.add(silent.connection)
  await pass(6)
  inUse.clear()
  await pass(6)
  expect(silent.abort).toHaveBeenCalledOnce()
})

test('a doubted one has to give a sign now', async () => {
  const { watch, connection } = start()
  const [alive, silent] = [connection('one'), connection('two')]
  watch.doubt(alive.connection)
  watch.doubt(silent.connection)
  watch.doubt(silent.connection)
  expect(silent.ask).toHaveBeenCalledOnce()
  alive.state.isHeard = true
  await pass(7)
  expect(silent.abort).toHaveBeenCalledOnce()
  expect(alive.abort).not.toHaveBeenCalled()
})

test('with a connection through a relay goes that to the relay, the inner one first', async () => {
  const { connection, inUse } = start()
  const relay = connection('relay')
  const relayed = connection('one', '/ip4/5.0.0.1/tcp/1/p2p/relay/p2p-circuit/p2p/one')
  inUse.add(relayed.connection)
  await pass(11)
  expect(relay.abort).toHaveBeenCalledOnce()
  expect(relayed.abort).toHaveBeenCalledOnce()
  expect(relayed.abort.mock.invocationCallOrder[0]).toBeLessThan(relay.abort.mock.invocationCallOrder[0]!)
  expect((relayed.abort.mock.calls as unknown[][])[0]?.[0]).toMatchObject({ peerMayBeWell: true })
})

test('where the relay speaks and the peer behind it does not, only the connection through it is cut', async () => {
  const { connection, inUse } = start()
  const relay = connection('relay')
  const relayed = connection('one', '/ip4/5.0.0.1/tcp/1/p2p/relay/p2p-circuit/p2p/one')
  relay.ask.mockImplementation(() => void (relay.state.isHeard = true))
  inUse.add(relayed.connection)
  await pass(11)
  expect(relayed.abort).toHaveBeenCalledOnce()
  expect(relay.abort).not.toHaveBeenCalled()
})

test('after a stall of this machine nobody is blamed before a whole new wait', async () => {
  const { connection, inUse, machine } = start()
  const silent = connection('one')
  inUse.add(silent.connection)
  await pass(7)
  machine.stalledMs += 30_000
  await pass(7)
  expect(silent.abort).not.toHaveBeenCalled()
  await pass(3)
  expect(silent.abort).toHaveBeenCalledOnce()
})

test('a step of the wall clock gives a dead peer no longer', async () => {
  const { connection, inUse } = start()
  const silent = connection('one')
  inUse.add(silent.connection)
  await pass(7)
  vi.setSystemTime(Date.now() + 3_600_000)
  await pass(4)
  expect(silent.abort).toHaveBeenCalledOnce()
})

test('what was written before the first look counts: a large request may still be on its way', async () => {
  const { connection, inUse } = start()
  const silent = connection('one')
  const socket = { _handle: { bytesWritten: 80_000, writeQueueSize: 0 } }
  Object.assign(silent.connection, { maConn: { socket } })
  inUse.add(silent.connection)
  await pass(15)
  expect(silent.abort).not.toHaveBeenCalled()
  await pass(5)
  expect(silent.abort).toHaveBeenCalledOnce()
})

test('a connection of which nothing can be heard is not watched', async () => {
  const { connection, inUse } = start()
  const { connection: strange, abort } = connection('one')
  Object.assign(strange, { muxer: {} })
  inUse.add(strange)
  await pass(60)
  expect(abort).not.toHaveBeenCalled()
})

test('the silence behind an error is found through its causes, and in no other error', () => {
  const silence = new DeadPeerError(true)
  expect(deadPeerBehind(new Error('lost', { cause: new Error('reset', { cause: silence }) }))).toBe(silence)
  expect(deadPeerBehind(new Error('lost'))).toBeUndefined()
  expect(deadPeerBehind('lost')).toBeUndefined()
})

/** Over a transport that acknowledges what it gets at once, as QUIC does. */
function acknowledging(made: ReturnType<ReturnType<typeof start>['connection']>) {
  const counted = { datagrams: 0 }
  made.probe.received = () => counted.datagrams
  return { ...made, counted }
}

test('a connection that does not acknowledge what is sent is suspected within 300 ms, and not cut for it', async () => {
  const { watch, connection } = start()
  const quic = acknowledging(connection('one'))
  const suspected: Connection[] = []
  watch.onSuspect((one) => suspected.push(one))
  watch.used(quic.connection)
  await vi.advanceTimersByTimeAsync(200)
  expect(watch.isDoubted([quic.connection])).toBe(false)
  await vi.advanceTimersByTimeAsync(100)
  expect(suspected).toEqual([quic.connection])
  expect(watch.isDoubted([quic.connection])).toBe(true)
  expect(quic.abort).not.toHaveBeenCalled()
  // Heard again: it is as good as before.
  quic.counted.datagrams += 1
  await vi.advanceTimersByTimeAsync(300)
  expect(watch.isDoubted([quic.connection])).toBe(false)
})

test('a connection that acknowledges what is sent is not suspected, and neither is one that is not used', async () => {
  const { watch, connection } = start()
  const [busy, idle] = [acknowledging(connection('one')), acknowledging(connection('two'))]
  const suspected: Connection[] = []
  watch.onSuspect((one) => suspected.push(one))
  for (let turn = 0; turn < 50; turn += 1) {
    watch.used(busy.connection)
    busy.counted.datagrams += 1
    await vi.advanceTimersByTimeAsync(100)
  }
  expect(watch.isDoubted([idle.connection])).toBe(false)
  await pass(5)
  expect(suspected).toEqual([])
})

test('a quiet connection in use that acknowledges what is sent is touched, and suspected within two seconds of its end', async () => {
  const { watch, connection, inUse } = start()
  const [thinking, ended, idle] = ['one', 'two', 'three'].map((peerId) => acknowledging(connection(peerId)))
  const suspected = new Set<Connection>()
  watch.onSuspect((one) => void suspected.add(one))
  thinking!.newStream.mockImplementation(() => {
    thinking!.counted.datagrams += 1
    thinking!.state.isHeard = true
    return Promise.reject(new Error('refused, which is an answer'))
  })
  inUse.add(thinking!.connection).add(ended!.connection)
  await pass(2.5)
  expect([...suspected]).toEqual([ended!.connection])
  await pass(60)
  expect(watch.isDoubted([thinking!.connection])).toBe(false)
  expect(thinking!.abort).not.toHaveBeenCalled()
  expect(idle!.newStream).not.toHaveBeenCalled()
})

test('what was sent while an acknowledgement was waited for has to be acknowledged too', async () => {
  const { watch, connection } = start()
  const quic = acknowledging(connection('one'))
  const suspected: Connection[] = []
  watch.onSuspect((one) => suspected.push(one))
  watch.used(quic.connection)
  quic.counted.datagrams += 1
  await vi.advanceTimersByTimeAsync(100)
  watch.used(quic.connection)
  await vi.advanceTimersByTimeAsync(450)
  expect(suspected).toEqual([quic.connection])
})

test('a connection with a long round trip has longer to acknowledge', async () => {
  const { watch, connection } = start()
  const far = acknowledging(connection('one'))
  far.connection.rtt = 300
  watch.used(far.connection)
  await pass(1)
  expect(watch.isDoubted([far.connection])).toBe(false)
  await pass(1)
  expect(watch.isDoubted([far.connection])).toBe(true)
})

test('an older connection that does not answer in a second is suspected when its peer connects anew', async () => {
  const { watch, connection } = start()
  const older = connection('one')
  const suspected: Connection[] = []
  older.newStream.mockImplementation(() => Promise.reject(new Error('no answer')))
  watch.onSuspect((one) => suspected.push(one))
  watch.superseded(older.connection)
  expect(watch.isDoubted([older.connection])).toBe(false)
  await pass(1)
  expect(watch.isDoubted([older.connection])).toBe(true)
  expect(suspected).toEqual([older.connection])
  await pass(10)
  expect(older.abort).toHaveBeenCalledOnce()
})

test('a connection that was in doubt and is heard is in doubt no longer', async () => {
  const { watch, connection } = start()
  const one = connection('one')
  watch.doubt(one.connection)
  expect(watch.isDoubted([one.connection])).toBe(true)
  one.state.isHeard = true
  await pass(2)
  expect(watch.isDoubted([one.connection])).toBe(false)
})
