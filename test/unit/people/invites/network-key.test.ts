import { expect, test } from 'vitest'
import { isNetworkName, readNetworkKey, writeNetworkKey } from '../../../../src-main/people/invites/network-key.js'

const KEY = Uint8Array.from({ length: 32 }, (_, index) => 7 * index)

test('the key of a network comes back from its line, also with line ends in it', () => {
  const text = writeNetworkKey(KEY)
  expect(text).toMatch(/^ocf-net1[\w-]{48}$/)
  expect([...readNetworkKey(`${text.slice(0, 20)}\n${text.slice(20)} `)!]).toEqual([...KEY])
})

test('a key of a network that is cut, doubled or changed in one character is refused', () => {
  const text = writeNetworkKey(KEY)
  expect(readNetworkKey(text.slice(0, -1))).toBeUndefined()
  expect(readNetworkKey(text + text)).toBeUndefined()
  for (let at = 8; at < text.length; at += 1) {
    const other = text[at] === 'A' ? 'B' : 'A'
    expect(readNetworkKey(text.slice(0, at) + other + text.slice(at + 1))).toBeUndefined()
  }
})

test.each(['', '../x', 'A', 'a/b', '-a', 'a'.repeat(33), 'a.b', '\u202Ea', 'аbc'])(
  'a network can’t be called %j, as its name becomes that of a file',
  (name) => expect(isNetworkName(name)).toBe(false),
)
