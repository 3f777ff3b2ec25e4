import { expect, test } from 'vitest'
import type { Transport } from '@libp2p/interface'
import { multiaddr } from '@multiformats/multiaddr'
import { createDialMemory } from '../../../src-main/p2p/dial-memory.js'

function memoryOver(dial: () => Promise<unknown>) {
  const clock = { ms: 0, now: () => clock.ms }
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
