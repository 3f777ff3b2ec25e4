import { describe, expect, test } from 'vitest'
import { conversationKey, createAffinity } from '../../../../src-main/gateway/routing/provider-choice.js'

const system = { role: 'system', content: 'Be brief.' }
const first = { role: 'user', content: 'What is a peer?' }

describe('the key of a conversation', () => {
  const key = conversationKey({ model: 'm', messages: [system, first] })

  test('stays the same for its later turns', () => {
    const later = [system, first, { role: 'assistant', content: 'Another node.' }, { role: 'user', content: 'Why?' }]
    expect(conversationKey({ model: 'm', messages: later, stream: true })).toBe(key)
    const noSystem = conversationKey({ model: 'm', messages: [first] })
    expect(conversationKey({ model: 'm', messages: [first, { role: 'assistant', content: 'A node.' }] })).toBe(noSystem)
  })

  test('differs by model, system text and first question', () => {
    const others = [
      { model: 'n', messages: [system, first] },
      { model: 'm', messages: [{ ...system, content: 'Be long.' }, first] },
      { model: 'm', messages: [system, { ...first, content: 'What is a node?' }] },
      { model: 'm', prompt: 'What is a peer?' },
      { model: 'm', system: 'Be brief.', messages: [first] },
    ].map(conversationKey)
    expect(new Set([key, ...others]).size).toBe(others.length + 1)
  })

  test('holds nothing of the text, and is absent where there is none', () => {
    expect(key).toMatch(/^[\w+/]{27}=$/)
    for (const json of [{ model: 'm' }, { model: 'm', prompt: '' }, { model: 'm', messages: 7 }]) {
      expect(conversationKey(json)).toBeUndefined()
    }
    for (const messages of [[null], [7, {}], [[]], [{ role: 'user' }]]) {
      expect(() => conversationKey({ model: 'm', messages })).not.toThrow()
    }
  })
})

test('the last server is remembered for a while', () => {
  let now = 0
  const affinity = createAffinity({ clock: { now: () => now } })
  affinity.served('k', 'a')
  affinity.served('k', 'b')
  expect(affinity.lastServer('k')).toBe('b')
  now += 11 * 60_000
  expect(affinity.lastServer('k')).toBeUndefined()
})
