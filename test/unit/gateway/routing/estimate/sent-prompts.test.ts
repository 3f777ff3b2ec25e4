import { describe, expect, test } from 'vitest'
import { JsonObjectBytes } from '../../../../../src-main/base/json/object.js'
import { MAX_BLOCKS, PromptHasher } from '../../../../../src-main/gateway/routing/estimate/prompt-chain.js'
import { createWorks } from '../../../../fixtures/request-work.js'

const text = (name: string, kib: number): string => `${name} `.repeat((kib * 1024) / (name.length + 1))
const SYSTEM = { role: 'system', content: text('rules of the agent', 12) }
const conversation = (topic: string, turns: number): object => ({
  model: 'm',
  messages: [
    SYSTEM,
    ...Array.from({ length: turns }, (_, turn) => ({
      role: turn % 2 ? 'assistant' : 'user',
      content: text(`${topic} ${turn}`, 4),
    })),
  ],
})
const tokensOf = (request: object): number => JSON.stringify(request).length / 4

describe('what was sent where', () => {
  test('a provider need not read what it read at an earlier turn of the conversation', () => {
    const work = createWorks()
    work(conversation('a', 1)).readBy('warm')
    const later = work(conversation('a', 3))
    expect(later.at('cold').unreadTokens).toBeGreaterThan(0.95 * tokensOf(conversation('a', 3)))
    const added = tokensOf(conversation('a', 3)) - tokensOf(conversation('a', 1))
    expect(later.at('warm').unreadTokens).toBeLessThan(added + 1024 / 4 + 8)
    expect(later.holders()).toEqual(['warm'])
  })

  test('conversations of one agent share their long beginning, and nothing of the rest', () => {
    const work = createWorks()
    work(conversation('a', 3)).readBy('warm')
    const other = conversation('b', 3)
    const unread = work(other).at('warm').unreadTokens
    expect(unread).toBeLessThan(tokensOf(other) - (11 * 1024) / 4)
    expect(unread).toBeGreaterThan(tokensOf(other) - (13 * 1024) / 4)
  })

  test('a prompt for another model, or with other tools, has not been read', () => {
    const work = createWorks()
    work(conversation('a', 3)).readBy('warm')
    for (const change of [{ model: 'n' }, { tools: [{ type: 'function' }] }]) {
      const request = { ...conversation('a', 3), ...change }
      expect(work(request).at('warm').unreadTokens).toBeGreaterThan(0.95 * tokensOf(conversation('a', 3)))
    }
  })

  test('a request without a prompt has nothing to read', () => {
    expect(createWorks()({ model: 'm' }).at('any').unreadTokens).toBe(0)
  })

  test('the longest prompt costs a bounded number of hashes', () => {
    const json = JsonObjectBytes.from(Buffer.from(JSON.stringify({ model: 'm', prompt: text('long', 3 * 1024) })))
    expect(new PromptHasher().chainOf(json)?.hashes).toHaveLength(MAX_BLOCKS)
  })

  test('the hashes of one text differ from process to process, so that they tell nothing of it', () => {
    const json = JsonObjectBytes.from(Buffer.from(JSON.stringify(conversation('a', 1))))
    const [one, other] = [new PromptHasher().chainOf(json), new PromptHasher().chainOf(json)]
    expect(one?.ends).toEqual(other?.ends)
    expect(one?.hashes.some((hash) => other?.hashes.includes(hash))).toBe(false)
  })

  test('what a provider read long ago is forgotten for what it read since', () => {
    const work = createWorks()
    work(conversation('first', 3)).readBy('a')
    for (let number = 0; number < 200; number += 1)
      work({ model: 'm', prompt: text(`other ${number}`, 20) }).readBy('a')
    const again = conversation('first', 3)
    expect(work(again).at('a').unreadTokens).toBeGreaterThan(0.95 * tokensOf(again))
  })
})
