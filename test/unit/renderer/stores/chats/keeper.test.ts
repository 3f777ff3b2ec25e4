import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import type { Client } from '#shared/contract/client.js'
import type { KeptConversation } from '#shared/contract/node/chats.js'
import { AppError } from '#shared/errors.js'
import type { AnswerNode, Conversation } from '../../../../../src-renderer/stores/chats/conversation.js'
import { Chats } from '../../../../../src-renderer/stores/chats/index.js'
import { ChatKeeper } from '../../../../../src-renderer/stores/chats/keeper.js'

/** The node's side of it: what one page stores the next one loads. */
class FakeNode {
  isOn = false
  stored: KeptConversation[] | undefined
  saves = 0
  dropped: string[] = []
  failure: Error | undefined
  /** How long a save takes. */
  saveMs = 0

  call(name: string, input: unknown): unknown {
    if (this.failure !== undefined) throw this.failure
    switch (name) {
      case 'settings.set':
        this.isOn = (input as { value: string }).value === 'true'
        return { restartNeeded: false }
      case 'chats.load': {
        const conversations = this.isOn ? (this.stored ?? []) : []
        const facts = { keep: this.isOn, sealed: true, stored: this.stored !== undefined, setAside: [] }
        return structuredClone({ ...facts, conversations })
      }
      case 'chats.save':
        if (!this.isOn) throw new AppError('invalid_request', 'not kept', { param: 'chats.keep' })
        this.saves += 1
        this.stored = structuredClone((input as { conversations: KeptConversation[] }).conversations)
        return { dropped: this.dropped }
      case 'chats.forget':
        this.stored = undefined
        return {}
      default:
        throw new AppError('node_not_running', 'no such call in this test')
    }
  }

  /** A tab. */
  page() {
    const client = {
      call: async (name: string, input: unknown) => {
        const output = await Promise.resolve().then(() => this.call(name, input))
        if (name === 'chats.save' && this.saveMs > 0) await new Promise((done) => setTimeout(done, this.saveMs))
        return output
      },
    } as Pick<Client, 'call'>
    const chats = new Chats(client)
    return { chats, keeper: new ChatKeeper(client, chats) }
  }

  titles(): unknown[] {
    return (this.stored ?? []).map(({ text }) => (JSON.parse(text) as { title: unknown }).title)
  }
}

const SETTINGS = { model: 'm', provider: null, system: '', temperature: null, maxTokens: null }
const RUNNING: AnswerNode = {
  ...{ kind: 'answer', id: 'x-3', parent: 'x-2', model: 'm', state: 'running', problem: undefined },
  answer: undefined,
}

function said(id: string, title: string, answer: AnswerNode = { ...RUNNING, state: 'done' }): Conversation {
  const question = { kind: 'question' as const, id: 'x-2', parent: null, text: 'a question', images: [] }
  return {
    ...{ id, title, changedAtMs: 1, leaf: answer.id, settings: SETTINGS },
    nodes: { [question.id]: question, [answer.id]: answer },
  }
}

const ids = ({ chats }: { chats: Chats }): string[] => chats.store.getState().conversations.map(({ id }) => id)

let node: FakeNode
beforeEach(() => {
  vi.useFakeTimers()
  node = new FakeNode()
})
afterEach(() => vi.useRealTimers())

test('nothing is stored while chats are not kept, whatever is said', async () => {
  const page = node.page()
  await page.keeper.load()
  page.chats.adopt([said('a', 'one')])
  await vi.advanceTimersByTimeAsync(60_000)
  await page.keeper.leave()
  expect(page.keeper.store.getState().phase).toBe('off')
  expect([node.saves, node.stored]).toEqual([0, undefined])
})

test('what a page stores the next one shows, newest open, and an answer that was cut by the reload is stopped', async () => {
  const page = node.page()
  page.chats.adopt([said('a', 'one', RUNNING), said('b', 'two')])
  await page.keeper.switchOn()
  const next = node.page()
  await next.keeper.load()
  expect(ids(next)).toEqual(['a', 'b'])
  const { conversations, openId } = next.chats.store.getState()
  expect(openId).toBe('a')
  expect(conversations[0]?.nodes['x-3']).toMatchObject({ state: 'stopped' })
  expect(conversations[1]?.nodes['x-3']).toMatchObject({ state: 'done' })
})

test('changes are stored once, a second after the last one, and within ten seconds while they go on', async () => {
  node.isOn = true
  const page = node.page()
  await page.keeper.load()
  page.chats.adopt([said('a', 'one')])
  page.chats.rename('a', 'two')
  await vi.advanceTimersByTimeAsync(999)
  expect(node.saves).toBe(0)
  await vi.advanceTimersByTimeAsync(1)
  expect([node.saves, node.titles()]).toEqual([1, ['two']])
  for (let i = 0; i < 22; i++) {
    page.chats.rename('a', `name ${i}`)
    await vi.advanceTimersByTimeAsync(500)
  }
  expect(node.saves).toBe(2)
})

test('a save that took long makes the next one wait ten times as long', async () => {
  node.isOn = true
  const page = node.page()
  await page.keeper.load()
  node.saveMs = 400
  page.chats.adopt([said('a', 'one')])
  await vi.advanceTimersByTimeAsync(1400)
  expect(node.saves).toBe(1)
  page.chats.rename('a', 'two')
  await vi.advanceTimersByTimeAsync(3999)
  expect(node.saves).toBe(1)
  await vi.advanceTimersByTimeAsync(1)
  expect(node.titles()).toEqual(['two'])
})

test('a page that goes away stores at once what is not stored yet, and nothing where all of it is', async () => {
  node.isOn = true
  const page = node.page()
  await page.keeper.load()
  page.chats.adopt([said('a', 'one')])
  await page.keeper.leave()
  expect(node.titles()).toEqual(['one'])
  await page.keeper.leave()
  expect(node.saves).toBe(1)
})

test('of two pages the one that saved last wins, and neither fails', async () => {
  node.isOn = true
  const [one, two] = [node.page(), node.page()]
  await one.keeper.load()
  await two.keeper.load()
  one.chats.adopt([said('a', 'of the first')])
  await one.keeper.leave()
  two.chats.adopt([said('b', 'of the second')])
  await two.keeper.leave()
  expect(node.titles()).toEqual(['of the second'])
  expect(one.keeper.store.getState().problem).toBeUndefined()
})

test('switching off deletes what was stored, and the page keeps what it shows', async () => {
  const page = node.page()
  page.chats.adopt([said('a', 'one')])
  await page.keeper.switchOn()
  expect(node.stored).toHaveLength(1)
  await page.keeper.switchOff()
  page.chats.rename('a', 'two')
  await vi.advanceTimersByTimeAsync(60_000)
  expect([node.stored, ids(page)]).toEqual([undefined, ['a']])
  expect(page.keeper.store.getState()).toMatchObject({ phase: 'off', stored: false })
})

test('a page stops storing when chats are switched off elsewhere', async () => {
  node.isOn = true
  const page = node.page()
  await page.keeper.load()
  node.isOn = false
  page.chats.adopt([said('a', 'one')])
  await vi.advanceTimersByTimeAsync(60_000)
  expect(page.keeper.store.getState()).toMatchObject({ phase: 'off', problem: undefined })
  expect(node.saves).toBe(0)
})

test('what could not be loaded is never written over, and is loaded later', async () => {
  node.isOn = true
  node.stored = [{ id: 'a', text: JSON.stringify(said('a', 'one')) }]
  node.failure = new AppError('secret_unreadable', 'The key store is locked.')
  const page = node.page()
  await page.keeper.load()
  expect(page.keeper.store.getState().problem).toContain('The key store is locked.')
  node.failure = undefined
  page.chats.adopt([said('b', 'two')])
  await vi.advanceTimersByTimeAsync(60_000)
  expect(node.titles()).toEqual(['one'])
  await page.keeper.load()
  expect(ids(page)).toEqual(['b', 'a'])
})

test('kept chats that can’t be opened can be deleted, and new ones are kept', async () => {
  node.isOn = true
  node.stored = [{ id: 'a', text: '{}' }]
  node.failure = new AppError('secret_unreadable', 'The key store is locked.')
  const page = node.page()
  await page.keeper.load()
  node.failure = undefined
  await page.keeper.forget()
  expect(page.keeper.store.getState()).toMatchObject({ phase: 'on', problem: undefined })
  page.chats.adopt([said('b', 'two')])
  await page.keeper.leave()
  expect(node.titles()).toEqual(['two'])
})

test('a failed save is said and tried again', async () => {
  node.isOn = true
  const page = node.page()
  await page.keeper.load()
  node.failure = new AppError('disk_full', 'The disk is full.')
  page.chats.adopt([said('a', 'one')])
  await vi.advanceTimersByTimeAsync(1000)
  expect(page.keeper.store.getState().problem).toContain('The disk is full.')
  node.failure = undefined
  await vi.advanceTimersByTimeAsync(20_000)
  expect([node.titles(), page.keeper.store.getState().problem]).toEqual([['one'], undefined])
})

test('conversations for which there was no room leave the page, and are counted', async () => {
  node.isOn = true
  const page = node.page()
  await page.keeper.load()
  page.chats.adopt([said('a', 'one'), said('b', 'two')])
  node.dropped = ['b']
  await page.keeper.leave()
  node.dropped = []
  await vi.advanceTimersByTimeAsync(60_000)
  expect(ids(page)).toEqual(['a'])
  expect(page.chats.store.getState().dropped).toBe(1)
})

test.each(['no JSON', '{}', '{"id":"b","nodes":{"n":{"kind":"poem"}},"settings":{"model":"m","system":""}}', 'null'])(
  'a stored conversation that this page does not understand breaks nothing and stays stored: %s',
  async (text) => {
    node.isOn = true
    node.stored = [
      { id: 'strange', text },
      { id: 'a', text: JSON.stringify(said('a', 'one')) },
    ]
    const page = node.page()
    await page.keeper.load()
    expect(ids(page)).toEqual(['a'])
    page.chats.rename('a', 'two')
    await page.keeper.leave()
    expect(node.stored).toContainEqual({ id: 'strange', text })
  },
)

test('conversations of two pages never have the same id', () => {
  const [one, two] = [node.page(), node.page()]
  one.chats.begin(SETTINGS)
  two.chats.begin(SETTINGS)
  expect(ids(one)).not.toEqual(ids(two))
})
