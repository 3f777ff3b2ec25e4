import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { inMicroBatch } from '../../../src-main/base/micro-batch.js'

test('what is put off in one turn is done in order when it is over, and once', async () => {
  const done: string[] = []
  inMicroBatch(() => done.push('a'))
  await Promise.resolve()
  inMicroBatch(() => {
    done.push('b')
    inMicroBatch(() => done.push('next'))
  })
  expect(done).toEqual([])
  await turn()
  expect(done).toEqual(['a', 'b'])
  await turn()
  expect(done).toEqual(['a', 'b', 'next'])
  await turn()
  expect(done).toHaveLength(3)
})

test('many do not wait', async () => {
  let done = 0
  for (let index = 0; index < 100; index += 1) inMicroBatch(() => (done += 1))
  expect(done).toBe(96)
  await turn()
  expect(done).toBe(100)
})

test('one that throws keeps no other from being done', async () => {
  const done: number[] = []
  const put = (): void => {
    for (let index = 0; index < 16; index += 1) {
      inMicroBatch(() => {
        if (index === 10) throw new Error('broken')
        done.push(index)
      })
    }
  }
  expect(put).toThrow('broken')
  await turn()
  expect(done).toEqual(Array.from({ length: 16 }, (_, index) => index).filter((index) => index !== 10))
})
