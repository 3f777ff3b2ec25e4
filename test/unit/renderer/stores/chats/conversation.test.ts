import { expect, test } from 'vitest'
import {
  added,
  answered,
  contains,
  messagesFor,
  pathOf,
  splitThinking,
  switchedTo,
  titleOf,
  versionsOf,
  type AnswerNode,
  type Conversation,
  type QuestionNode,
} from '../../../../../src-renderer/stores/chats/conversation.js'

const EMPTY: Conversation = {
  ...{ id: 'c', title: null, changedAtMs: 0, nodes: {}, leaf: null },
  settings: { model: 'm', provider: null, system: '', temperature: null, maxTokens: null },
}
const question = (id: string, parent: string | null, text: string): QuestionNode => ({
  ...{ kind: 'question', id, parent, text, images: [] },
})
const answer = (id: string, parent: string, text: string): AnswerNode => ({
  ...{ kind: 'answer', id, parent, model: 'm', state: 'done', problem: undefined },
  answer: {
    ...{
      text,
      reasoning: '',
      servedBy: null,
      continuedBy: null,
      tries: null,
      ttftMs: null,
      streamedMs: 0,
      tokens: 0,
      exactTokens: false,
    },
  },
})

/** One, answered; Two, answered; and Zwei in place of Two, not answered yet. */
const TREE = [
  question('q1', null, 'One'),
  answer('a1', 'q1', 'Uno'),
  question('q2', 'a1', 'Two'),
  answer('a2', 'q2', 'Due'),
  question('q3', 'a1', 'Zwei'),
].reduce<Conversation>((conversation, node) => added(conversation, node), EMPTY)

const ids = (conversation: Conversation): string[] => pathOf(conversation).map(({ id }) => id)

test('the branch that is shown is the newest, and each other one is gone back to down to its end', () => {
  expect(ids(TREE)).toEqual(['q1', 'a1', 'q3'])
  expect(versionsOf(TREE, TREE.nodes['q3']!).map(({ id }) => id)).toEqual(['q2', 'q3'])
  expect(ids(switchedTo(TREE, 'q2'))).toEqual(['q1', 'a1', 'q2', 'a2'])
})

test('the gateway gets the branch of the question alone, the system prompt first, without what was not answered', () => {
  const asked = { ...TREE, settings: { ...TREE.settings, system: 'Be brief.' } }
  expect(messagesFor(asked, 'q3').map(({ content }) => content)).toEqual(['Be brief.', 'One', 'Uno', 'Zwei'])
  const failed = added(answered(TREE, 'a1', { answer: undefined, state: 'failed' }), question('q4', 'a1', 'Three'))
  expect(messagesFor(failed, 'q4').map(({ content }) => content)).toEqual(['Three'])
})

test('a conversation is called after its first question until a person names it, and is found by all that was said', () => {
  expect(titleOf(EMPTY)).toBeUndefined()
  expect(titleOf(TREE)).toBe('One')
  expect(titleOf({ ...TREE, title: 'Numbers' })).toBe('Numbers')
  expect(titleOf(added(EMPTY, question('q', null, `${'long '.repeat(30)}\nmore`)))).toMatch(/^(long )+long…$/)
  expect([contains(TREE, 'due'), contains(TREE, 'nothing')]).toEqual([true, false])
})

test.each([
  ['An answer.', '', 'An answer.'],
  ['<think>a\nb</think>\n\nc', 'a\nb', 'c'],
  ['\n<thinking>still', 'still', ''],
  ['Say <think> aloud', '', 'Say <think> aloud'],
])('thoughts are parted from what is said: %j', (text, thought, said) => {
  expect(splitThinking(text)).toEqual({ thought, said })
})
