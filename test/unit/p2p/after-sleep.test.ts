import type { Connection } from '@libp2p/interface'
import { expect, test, vi } from 'vitest'
import { dropDeadConnections } from '../../../src-main/p2p/hardening/liveness/pings.js'
import { createRecordingLog } from '../../fixtures/recording-log.js'

function connection(newStream: (protocol: string, options: { signal: AbortSignal }) => Promise<unknown>) {
  const abort = vi.fn()
  return { abort, connection: { status: 'open', newStream, abort } as unknown as Connection }
}

test('after the computer woke up, connections without a sign of life are dropped and the others stay', async () => {
  const streamAbort = vi.fn()
  const alive = connection(() => Promise.resolve({ abort: streamAbort }))
  const silent = connection((_protocol, { signal }) => {
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('no answer'))))
  })
  const gone = connection(() => Promise.reject(new Error('the socket is closed')))
  const closing = { status: 'closing', newStream: vi.fn() }
  const all = [alive.connection, silent.connection, gone.connection, closing as unknown as Connection]
  const dropped = await dropDeadConnections(
    { libp2p: { getConnections: () => all }, log: createRecordingLog() },
    { answerMs: 20 },
  )
  expect(dropped).toBe(2)
  expect(alive.abort).not.toHaveBeenCalled()
  expect(streamAbort).toHaveBeenCalledOnce()
  expect(silent.abort).toHaveBeenCalledOnce()
  expect(gone.abort).toHaveBeenCalledOnce()
  expect(closing.newStream).not.toHaveBeenCalled()
})
