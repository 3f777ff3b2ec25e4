import { expect, test } from 'vitest'
import { failureWords } from '../../../../src-main/p2p/bootstrap/failure-words.js'
import { startTestServer } from '../../../fixtures/http-server.js'

test('a WebSocket that finds nobody is said in words, never as an object', async () => {
  const server = await startTestServer(() => undefined)
  await server.close()
  const socket = new WebSocket(`ws://127.0.0.1:${server.port}`)
  const event = await new Promise<unknown>((resolve) => socket.addEventListener('error', resolve))
  expect(event).not.toBeInstanceOf(Error)
  for (const error of [event, new AggregateError([event]), new Event('error'), {}, undefined]) {
    expect(failureWords(error)).not.toMatch(/\[object|undefined/)
  }
  expect(failureWords(new AggregateError([new Event('error')]))).not.toBe('')
})
