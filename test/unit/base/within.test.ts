import { expect, it } from 'vitest'
import { within } from '../../../src-main/base/within.js'

const never = new Promise<string>(() => undefined)

it('gives what the work gives when it is in time', async () => {
  expect(await within(Promise.resolve('done'), 60_000, () => 'late')).toBe('done')
})

it('gives what `late` gives when the work takes too long', async () => {
  expect(await within(never, 1, () => 'late')).toBe('late')
})

it('rejects with the error of the work, or with that of `late`', async () => {
  await expect(within(Promise.reject(new Error('broken')), 60_000, () => 'late')).rejects.toThrow('broken')
  const tooLate = (): never => {
    throw new Error('too late')
  }
  await expect(within(never, 1, tooLate)).rejects.toThrow('too late')
})
