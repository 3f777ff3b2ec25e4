import { expect, test } from 'vitest'
import { strings } from '../../../src-renderer/strings.js'

test('sentences agree in number', () => {
  expect(strings.network.sentence(1, 1)).toBe('You are connected to 1 peer, directly.')
  expect(strings.network.sentence(2, 2)).toBe('You are connected to 2 peers, all directly.')
  expect(strings.network.sentence(3, 0)).toBe('You are connected to 3 peers, all through relays.')
  expect(strings.network.sentence(1, 0)).toBe('You are connected to 1 peer, through a relay.')
  expect(strings.settings.sentence(1)).toBe('1 setting differs from the default.')
  expect(strings.share.sentence(0, 1)).toBe('Your server isn’t answering, so nothing is shared right now.')
})
