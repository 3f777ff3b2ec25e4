import { setImmediate as nextTurn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { handleInTurns } from '../../../../../src-main/p2p/hardening/dht/handle-in-turns.js'

test('a backlog of messages of the DHT is answered in full and in order, a few in each turn of the event loop', async () => {
  const answered: number[] = []
  const rpc = {
    handleMessage(_peer: string, message: number): Promise<number> {
      answered.push(message)
      return Promise.resolve(message * 2)
    },
  }
  handleInTurns(rpc)

  const backlog = Array.from({ length: 100 }, (_, message) => message)
  const answers = Promise.all(backlog.map((message) => rpc.handleMessage('peer', message)))
  let turns = 0
  let most = 0
  for (let before = 0; answered.length < backlog.length && turns < 1000; before = answered.length) {
    await nextTurn()
    most = Math.max(most, answered.length - before)
    turns += 1
  }

  expect(await answers).toEqual(backlog.map((message) => message * 2))
  expect(answered).toEqual(backlog)
  expect(most).toBeLessThanOrEqual(8)
  expect(turns).toBeGreaterThan(10)
})

test('a message that fails has its own error, and takes no turn from the others', async () => {
  const rpc = {
    handleMessage: (message: number): Promise<number> =>
      message === 3 ? Promise.reject(new Error('not a key')) : Promise.resolve(message),
  }
  handleInTurns(rpc)
  const outcomes = await Promise.allSettled(Array.from({ length: 20 }, (_, message) => rpc.handleMessage(message)))
  expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(19)
  expect(outcomes[3]).toMatchObject({ status: 'rejected', reason: { message: 'not a key' } })
})
