import fc from 'fast-check'
import { expect, test } from 'vitest'
import { writeAnswer, type AnswerRequest } from '../../../src-main/demo-model/answer.js'

const AS_FAST_AS_POSSIBLE = { tokensPerSecond: 0, signal: new AbortController().signal, onToken: () => undefined }

async function write(request: Partial<AnswerRequest>) {
  const whole = {
    prompt: 'What is a node table?',
    question: 'What is a node table?',
    maxTokens: 500,
    stop: [],
    seed: 1,
    endless: false,
    ...request,
  }
  const pieces: string[] = []
  const writing = writeAnswer(whole, AS_FAST_AS_POSSIBLE)
  for (;;) {
    const next = await writing.next()
    if (next.done === true) return { text: pieces.join(''), pieces, ...next.value }
    pieces.push(next.value)
  }
}

test('it says what it is before anything else', async () => {
  for (const seed of [1, 2, 3, 4]) {
    const { text } = await write({ seed })
    expect(text).toMatch(/^I am the demo model that is built into Open Compute\. (I|There) .*project/)
  }
})

test('it shows sentences with the words of the question first', async () => {
  expect((await write({ question: 'What is a node table?' })).text).toContain(
    'The node table is a list of who offers what',
  )
  expect((await write({ question: 'what do RELAYS do' })).text).toContain('a relay carries their bytes')
})

test('the same seed gives the same answer, and different seeds give some', async () => {
  expect((await write({ seed: 5 })).text).toBe((await write({ seed: 5 })).text)
  const answers = await Promise.all(Array.from({ length: 20 }, (_, seed) => write({ seed })))
  expect(new Set(answers.map(({ text }) => text)).size).toBeGreaterThan(10)
})

test('it ends by itself in a few sentences, or at the limit of tokens', async () => {
  const free = await write({})
  expect(free).toMatchObject({ finishReason: 'stop', promptTokens: 6, completionTokens: free.pieces.length })
  expect(free.completionTokens).toBeGreaterThan(50)
  expect(free.completionTokens).toBeLessThan(200)
  expect(await write({ maxTokens: 7 })).toMatchObject({ finishReason: 'length', completionTokens: 7 })
  expect(await write({ maxTokens: 3_000, endless: true })).toMatchObject({ completionTokens: 3_000 })
})

test('whatever the stop texts are, it ends before the one that is complete first', async () => {
  const { text } = await write({})
  const pieceOfText = fc
    .tuple(fc.nat(text.length - 1), fc.integer({ min: 1, max: 12 }))
    .map(([from, length]) => text.slice(from, from + length))
  const nearMiss = pieceOfText.map((piece) => `${piece}#`)
  const stops = fc.array(fc.oneof(pieceOfText, nearMiss, fc.constant('')), { maxLength: 3 })
  await fc.assert(
    fc.asyncProperty(stops, async (stop) => {
      const texts = stop.filter((one) => one !== '')
      const completeAt = Array.from(text, (_, at) => at + 1).find((at) =>
        texts.some((one) => text.slice(0, at).endsWith(one)),
      )
      const ended = texts.filter((one) => completeAt !== undefined && text.slice(0, completeAt).endsWith(one))
      const end = (completeAt ?? text.length) - Math.max(0, ...ended.map((one) => one.length))
      expect((await write({ stop })).text).toBe(text.slice(0, end))
    }),
    { numRuns: 500, examples: [[['w sentences ', ' s']]] },
  )
})

test('a text that cannot be part of a stop text is not held back', async () => {
  const { pieces } = await write({})
  expect((await write({ stop: ['STOP', 'no such thing', ''] })).pieces.length).toBeGreaterThan(pieces.length * 0.9)
})
