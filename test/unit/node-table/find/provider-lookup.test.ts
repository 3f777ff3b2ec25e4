import { expect, test } from 'vitest'
import { lookUpKeys } from '../../../../src-main/node-table/find/provider-lookup.js'

async function* naming(name: string, count: number): AsyncGenerator<string> {
  for (let index = 0; index < count; index += 1) {
    await Promise.resolve()
    yield `${name}${index}`
  }
}

/** Names nobody, and does not end. */
const silent = (): AsyncIterator<string> => ({ next: () => new Promise(() => undefined) })

async function first(count: number, lookups: readonly (() => AsyncIterator<string>)[]): Promise<string[]> {
  const found: string[] = []
  for await (const peer of lookUpKeys(lookups)) {
    found.push(peer)
    if (found.length === count) break
  }
  return found
}

test('the other keys of a model are looked up when the first has nothing to say', async () => {
  expect(await first(1, [silent, silent, () => naming('other ', 1)])).toEqual(['other 0'])
})

test('a key at which peers are named without end leaves the others their share', async () => {
  const found = await first(37, [() => naming('liar ', 1000), () => naming('other ', 5), silent])
  expect(found.filter((peer) => peer.startsWith('other'))).toHaveLength(5)
  expect(found.filter((peer) => peer.startsWith('liar'))).toHaveLength(32)
})

test('a lookup of keys ends when all have ended', async () => {
  expect((await first(60, [() => naming('a', 2), () => naming('b', 1)])).sort()).toEqual(['a0', 'a1', 'b0'])
  expect(await first(60, [])).toEqual([])
})
