import { expect, test } from 'vitest'
import { strings } from '../../../src-renderer/strings/all.js'

test('sentences agree in number', () => {
  expect(strings.network.sentence(1, 1)).toBe('You are connected to 1 peer, directly.')
  expect(strings.network.sentence(2, 2)).toBe('You are connected to 2 peers, all directly.')
  expect(strings.network.sentence(3, 0)).toBe('You are connected to 3 peers, all through relays.')
  expect(strings.network.sentence(1, 0)).toBe('You are connected to 1 peer, through a relay.')
  expect(strings.settings.sentence(1)).toBe('1 setting differs from the default.')
})

test('the sentence of the Share page says how many models are for whom', () => {
  const { sentence } = strings.share
  expect(sentence({ me: 0, trusted: 0, everyone: 0 }, 1)).toMatch(/isn’t answering/)
  expect(sentence({ me: 2, trusted: 0, everyone: 1 }, 1)).toBe('You share 1 model with everyone.')
  expect(sentence({ me: 0, trusted: 1, everyone: 2 }, 1)).toBe(
    'You share 3 models: 2 with everyone, 1 with people you trust.',
  )
  expect(sentence({ me: 2, trusted: 0, everyone: 0 }, 1)).toBe(
    'Your apps can use 2 models on this computer. You share none with others.',
  )
})
