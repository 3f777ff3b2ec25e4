import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { JsonObjectBytes } from '../../../../src-main/base/json/object.js'
import { StreamEvents } from '../../../../src-main/gateway/body/stream-events.js'
import { type AnswerForm, UnfitContinuation } from '../../../../src-main/gateway/continue/answer-form.js'
import { eventsIn, eventText, parsed } from '../../../../src-main/gateway/continue/events.js'
import { formOf } from '../../../../src-main/gateway/continue/forms.js'
import { AnswerSoFar } from '../../../../src-main/gateway/continue/said.js'
import { Splicer } from '../../../../src-main/gateway/continue/splicer.js'

type Name = AnswerForm['name']

const PATHS: Record<Name, string> = {
  chat: '/v1/chat/completions',
  completions: '/v1/completions?x=1',
  messages: '/v1/messages',
  'ollama-chat': '/api/chat',
  'ollama-generate': '/api/generate',
}
const NAMES = Object.keys(PATHS) as Name[]

const event = (value: object, name?: string): string => eventText({ name, data: JSON.stringify(value) }, 'sse')
const line = (value: object): string => eventText({ name: undefined, data: JSON.stringify(value) }, 'ndjson')

/** A whole stream that says these texts, as the servers of that interface send it. */
function streamOf(name: Name, texts: readonly string[], id: string): string {
  const usage = { prompt_tokens: 10, completion_tokens: texts.length, total_tokens: 10 + texts.length }
  if (name === 'chat' || name === 'completions') {
    const chunk = (choice: object | undefined, more: object = {}): string =>
      event({
        id,
        model: id,
        created: id.length,
        choices: choice === undefined ? [] : [{ index: 0, finish_reason: null, ...choice }],
        ...more,
      })
    const piece = (text: string): object => (name === 'chat' ? { delta: { content: text } } : { text })
    return [
      ...(name === 'chat' ? [chunk({ delta: { role: 'assistant', content: '' } })] : []),
      ...texts.map((text) => chunk(piece(text))),
      chunk({ ...piece(''), finish_reason: 'stop' }),
      chunk(undefined, { usage }),
      'data: [DONE]\n\n',
    ].join('')
  }
  if (name === 'messages') {
    const named = (value: { type: string } & Record<string, unknown>): string => event(value, value.type)
    return [
      named({ type: 'message_start', message: { id, role: 'assistant', content: [] } }),
      named({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
      named({ type: 'ping' }),
      ...texts.map((text) => named({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text } })),
      named({ type: 'content_block_stop', index: 0 }),
      named({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: texts.length } }),
      named({ type: 'message_stop' }),
    ].join('')
  }
  const said = (text: string): object =>
    name === 'ollama-chat' ? { message: { role: 'assistant', content: text } } : { response: text }
  return [
    ...texts.map((text) => line({ model: id, ...said(text), done: false })),
    line({ model: id, ...said(''), done: true, done_reason: 'stop', prompt_eval_count: 10, eval_count: texts.length }),
  ].join('')
}

interface Value {
  choices?: { delta?: { content?: string }; text?: string }[]
  delta?: { text?: string }
  message?: { content?: string }
  response?: string
}

/** What an answer says, read as a client does that knows nothing of this. */
function textOf(stream: string): string {
  const lines = stream.split('\n').map((one) => one.replace(/^data: /, ''))
  const values = lines.filter((one) => one.startsWith('{')).map((one) => JSON.parse(one) as Value)
  const texts = values.map(({ choices, delta, message, response }) => {
    const [choice] = choices ?? []
    return choice?.delta?.content ?? choice?.text ?? delta?.text ?? message?.content ?? response ?? ''
  })
  return texts.join('')
}

function* piecesOf(bytes: Buffer, cuts: readonly number[]): Generator<Buffer> {
  let from = 0
  for (const cut of cuts.map((one) => one % (bytes.length + 1)).toSorted((a, b) => a - b)) {
    if (cut > from) yield bytes.subarray(from, cut)
    from = Math.max(from, cut)
  }
  yield bytes.subarray(from)
}

const texts = fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 8 }), { minLength: 2, maxLength: 12 })

describe.each(NAMES)('the rest of a %s answer', (name) => {
  const form = formOf(PATHS[name])!

  test('joins what was said, wherever the first stream is cut and however the second comes', () => {
    fc.assert(
      fc.property(texts, fc.nat(), fc.array(fc.nat(), { maxLength: 12 }), (all, cutAt, cuts) => {
        const first = Buffer.from(streamOf(name, all, 'first'))
        // The client gets whole events alone, and each piece of the first stream in between is forgotten.
        const events = new StreamEvents(form.framing)
        const given: Buffer[] = []
        const soFar = new AnswerSoFar(form)
        for (const piece of piecesOf(first.subarray(0, cutAt % first.length), cuts)) {
          const ready = events.push(Buffer.from(piece))
          if (ready === undefined) continue
          given.push(Buffer.from(ready))
          soFar.push(ready)
        }
        const said = soFar.said()
        fc.pre(said.head['stopped'] !== true || said.isOver)
        const begun = Buffer.concat(given).toString()
        if (said.isOver) {
          const ending = form
            .ending(said)
            .map((one) => eventText(one, form.framing))
            .join('')
          expect(textOf(begun + ending)).toBe(all.join(''))
          return
        }
        const count = said.tokens
        expect(said.text).toBe(all.slice(0, count).join(''))
        const splicer = new Splicer(form, said)
        const rest: Buffer[] = []
        for (const piece of piecesOf(Buffer.from(streamOf(name, all.slice(count), 'second')), cuts)) {
          const ready = splicer.push(Buffer.from(piece))
          if (ready !== undefined) rest.push(ready)
        }
        const end = splicer.rest()
        if (end !== undefined) rest.push(end)
        const whole = begun + Buffer.concat(rest).toString()
        expect(textOf(whole)).toBe(all.join(''))
        // Nothing of the second stream's names shows where the first had said its own.
        if (count > 0) expect(Buffer.concat(rest).toString()).not.toContain('"second"')
        const values = [...eventsIn(whole, form.framing)].map(parsed)
        const roles = values.filter((value) => JSON.stringify(value?.['choices'] ?? '').includes('"role"'))
        expect(roles.length).toBeLessThanOrEqual(1)
        expect(values.filter((value) => value?.['type'] === 'message_start').length).toBeLessThanOrEqual(1)
        const counts = JSON.stringify(values.at(name === 'chat' || name === 'completions' ? -2 : -1))
        if (name !== 'messages') expect(counts).toContain(`${all.length}`)
      }),
    )
  })

  test('is asked for nowhere once the client has an event that means nothing in this interface', () => {
    const odd = { piece: 'x', done: false, type: 'piece' }
    for (const value of [odd, { ...odd, choices: [{ index: 0, piece: 'x' }] }]) {
      const soFar = new AnswerSoFar(form)
      soFar.push(Buffer.from(form.framing === 'sse' ? event(value) : line(value)))
      expect(soFar.said().obstacle).toBeDefined()
    }
  })

  test('is of no use where it begins anew with thinking', () => {
    const stream = {
      chat: event({ choices: [{ index: 0, delta: { reasoning_content: 'hm' } }] }),
      messages: event(
        { type: 'content_block_start', index: 0, content_block: { type: 'thinking' } },
        'content_block_start',
      ),
      'ollama-chat': line({ message: { role: 'assistant', content: '', thinking: 'hm' }, done: false }),
      'ollama-generate': line({ response: '', thinking: 'hm', done: false }),
      completions: event({ error: { message: 'no' } }),
    }[name]
    const soFar = new AnswerSoFar(form)
    soFar.push(Buffer.from(streamOf(name, ['a', 'b'], 'first').slice(0, -1)))
    const splicer = new Splicer(form, { ...soFar.said(), isOver: false, head: {} })
    expect(() => splicer.push(Buffer.from(stream))).toThrow(UnfitContinuation)
  })
})

test('a bound on tokens is what is left of it, and never none', () => {
  const said = { text: 'abc', tokens: 3, head: {}, obstacle: undefined, isOver: false }
  const chat = formOf('/v1/chat/completions')!
  const request = (more: object): JsonObjectBytes =>
    JsonObjectBytes.from(Buffer.from(JSON.stringify({ messages: [{ role: 'user', content: 'q' }], ...more })))
  expect(chat.changes(request({ max_tokens: 10 }), said).get('max_tokens')).toBe('7')
  expect(chat.changes(request({ max_completion_tokens: 2 }), said).get('max_completion_tokens')).toBe('1')
  expect(chat.changes(request({}), said).has('max_tokens')).toBe(false)
  expect(JSON.parse(chat.changes(request({}), said).get('messages')!)).toEqual([
    { role: 'user', content: 'q' },
    { role: 'assistant', content: 'abc' },
  ])
  const ollama = formOf('/api/chat')!
  expect(ollama.changes(request({ options: { num_predict: 5, seed: 1 } }), said).get('options')).toBe(
    '{"num_predict":2,"seed":1}',
  )
})

test('what was said of a very long answer is not kept, and it is not continued', () => {
  const soFar = new AnswerSoFar(formOf('/v1/chat/completions')!)
  const chunk = Buffer.from(event({ choices: [{ index: 0, delta: { content: 'x'.repeat(1000) } }] }))
  for (let count = 0; count < 1100; count += 1) soFar.push(chunk)
  expect(soFar.said()).toMatchObject({ text: '', obstacle: 'it is too long' })
})
