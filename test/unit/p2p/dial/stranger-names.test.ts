import { expect, test, vi } from 'vitest'
import { StrangerNames } from '../../../../src-main/p2p/dial/stranger-names.js'

function namesOver(resolve: (name: string) => Promise<string[]>) {
  const clock = { ms: 0, elapsedMs: () => clock.ms }
  const asked = vi.fn(resolve)
  return { clock, asked, names: new StrangerNames(asked, clock) }
}

test('a name is looked up once in five minutes, whoever announces it', async () => {
  const { clock, asked, names } = namesOver(() => Promise.resolve(['5.0.0.1']))
  expect(await names.addressesOf('Node.example', 'one')).toEqual(['5.0.0.1'])
  expect(await names.addressesOf('node.example', 'two')).toEqual(['5.0.0.1'])
  expect(asked).toHaveBeenCalledTimes(1)
  clock.ms += 5 * 60_000
  await names.addressesOf('node.example', 'two')
  expect(asked).toHaveBeenCalledTimes(2)
})

test('a name that is not known stands for no address, and is remembered as well', async () => {
  const { asked, names } = namesOver(() => Promise.reject(new Error('ENOTFOUND')))
  expect(await names.addressesOf('gone.example', 'one')).toEqual([])
  expect(await names.addressesOf('gone.example', 'one')).toEqual([])
  expect(asked).toHaveBeenCalledTimes(1)
})

test('of the names one peer announces three are looked up, and of all peers thirty', async () => {
  const { asked, names } = namesOver(() => Promise.resolve(['5.0.0.1']))
  for (let count = 0; count < 50; count += 1) await names.addressesOf(`name${count}.example`, 'one')
  expect(asked).toHaveBeenCalledTimes(3)
  for (let count = 0; count < 200; count += 1) await names.addressesOf(`other${count}.example`, `peer${count}`)
  expect(asked).toHaveBeenCalledTimes(30)
})
