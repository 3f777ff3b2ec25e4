import type { Transport } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { expect, test, vi } from 'vitest'
import { createDialMemory } from '../../../../src-main/p2p/dial/dial-memory.js'

function memoryOver(dial: () => Promise<unknown>) {
  const clock = { ms: 0, elapsedMs: () => clock.ms }
  const memory = createDialMemory(clock)
  const transport = memory.watch(() => ({ dial }) as unknown as Transport)({})
  const tryIt = (address: string, signal = new AbortController().signal): Promise<unknown> =>
    transport.dial(multiaddr(address), { signal } as never).catch((error: unknown) => error)
  return { clock, memory, tryIt }
}

test('an address that failed is remembered for two minutes, whoever was wanted there', async () => {
  const { clock, memory, tryIt } = memoryOver(() => Promise.reject(new Error('refused')))
  await tryIt('/ip4/5.0.0.1/tcp/1/p2p/12D3KooWDG6KQHGgqSKbkKZH5xvz9iwm2qyNtFv1u87QCuDCUDiM')
  expect(memory.failedLately('/ip4/5.0.0.1/tcp/1')).toBe(true)
  expect(memory.failedLately('/ip4/5.0.0.1/tcp/2')).toBe(false)
  clock.ms = 120_000
  expect(memory.failedLately('/ip4/5.0.0.1/tcp/1')).toBe(false)
})

test('a dial that does not listen to its signal is given up, and what comes of it later is closed', async () => {
  const late = Promise.withResolvers<{ abort(): void }>()
  const { memory, tryIt } = memoryOver(() => late.promise)
  const stop = new AbortController()
  const trying = tryIt('/ip4/5.0.0.1/udp/1/quic-v1', stop.signal)
  stop.abort(new Error('too slow'))
  expect(await trying).toMatchObject({ message: 'too slow' })
  expect(memory.failedLately('/ip4/5.0.0.1/udp/1/quic-v1')).toBe(true)
  const aborted = Promise.withResolvers<undefined>()
  late.resolve({ abort: () => aborted.resolve(undefined) })
  await aborted.promise
})

const RELAY = '12D3KooWDG6KQHGgqSKbkKZH5xvz9iwm2qyNtFv1u87QCuDCUDiM'
const PEER = '12D3KooWGRUFBDQB7ZCJ4QG1YQv5kDTJwZ3T1Xg6QBMsbLHwoVxR'
const OTHER = '12D3KooWHBnSJVWcpGNAK6jDQsWeyfJn9N1Dx4t2nnxFyny8UgJm'
const over = (address: string, peer: string): string => `${address}/p2p/${RELAY}/p2p-circuit/p2p/${peer}`

test('a peer that is not heard of over a relay is not dialled at the next of its addresses, and others are', async () => {
  const dial = vi.fn(() => Promise.reject(new Error('silent')))
  const { clock, tryIt } = memoryOver(dial)
  await tryIt(over('/ip4/5.0.0.1/tcp/1', PEER), AbortSignal.abort())
  await tryIt(over('/ip4/5.0.0.1/udp/1/quic-v1', PEER))
  expect(dial).toHaveBeenCalledTimes(1)
  await tryIt(over('/ip4/5.0.0.1/udp/1/quic-v1', OTHER))
  expect(dial).toHaveBeenCalledTimes(2)
  clock.ms = 5_000
  await tryIt(over('/ip4/5.0.0.1/udp/1/quic-v1', PEER))
  expect(dial).toHaveBeenCalledTimes(3)
})

test('a relay that says no is asked at its other addresses too', async () => {
  const dial = vi.fn(() => Promise.reject(new Error('no reservation')))
  const { tryIt } = memoryOver(dial)
  await tryIt(over('/ip4/5.0.0.1/tcp/1', PEER))
  await tryIt(over('/ip4/5.0.0.1/udp/1/quic-v1', PEER))
  expect(dial).toHaveBeenCalledTimes(2)
})

test('what leads over a relay that fell silent is tried last, until the relay is there again', async () => {
  const remotePeer = { toString: () => RELAY }
  const dial = vi.fn(() => Promise.resolve({ remotePeer }))
  const { clock, memory, tryIt } = memoryOver(dial)
  memory.fellSilent(`/ip4/5.0.0.1/tcp/1/p2p/${RELAY}`, RELAY)
  expect(memory.failedLately(over('/ip4/5.0.0.9/tcp/1', PEER))).toBe(true)
  await tryIt(over('/ip4/5.0.0.9/tcp/1', PEER))
  expect(dial).not.toHaveBeenCalled()
  clock.ms = 5_000
  expect(memory.failedLately(over('/ip4/5.0.0.9/tcp/1', PEER))).toBe(true)
  await tryIt(`/ip4/5.0.0.1/tcp/1/p2p/${RELAY}`)
  expect(memory.failedLately(over('/ip4/5.0.0.9/tcp/1', PEER))).toBe(false)
})

test('a direct dial has two seconds, and one over a relay four', async () => {
  vi.useFakeTimers()
  const dial = (_address: unknown, { signal }: { signal: AbortSignal }) =>
    new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)))
  const transport = createDialMemory().watch(() => ({ dial }) as unknown as Transport)({})
  const givenUp: string[] = []
  for (const address of ['/ip4/5.0.0.1/tcp/1', over('/ip4/5.0.0.1/tcp/1', PEER)]) {
    const options = { signal: new AbortController().signal } as never
    transport.dial(multiaddr(address), options).catch(() => givenUp.push(address))
  }
  await vi.advanceTimersByTimeAsync(1_999)
  expect(givenUp).toEqual([])
  await vi.advanceTimersByTimeAsync(1)
  expect(givenUp).toHaveLength(1)
  await vi.advanceTimersByTimeAsync(2_000)
  expect(givenUp).toHaveLength(2)
  vi.useRealTimers()
})

test('what was dialled in time is left alone by its signal afterwards', async () => {
  vi.useFakeTimers()
  let kept: AbortSignal | undefined
  const dial = (_address: unknown, { signal }: { signal: AbortSignal }) => {
    kept = signal
    return Promise.resolve({ remotePeer: PEER })
  }
  const transport = createDialMemory().watch(() => ({ dial }) as unknown as Transport)({})
  const caller = new AbortController()
  await transport.dial(multiaddr('/ip4/5.0.0.1/tcp/1'), { signal: caller.signal } as never)
  await vi.advanceTimersByTimeAsync(60_000)
  caller.abort()
  expect([kept?.aborted, vi.getTimerCount()]).toEqual([false, 0])
  vi.useRealTimers()
})
