import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { isEventStream, readChat, readChatEvent, ServerEvents, type ServerEvent } from '#shared/chat-events.js'

const sample = (name: string): string =>
  readFileSync(join(import.meta.dirname, '..', '..', 'fixtures', 'cases', name), 'utf8')

function eventsOf(pieces: readonly string[]): ServerEvent[] {
  const events = new ServerEvents()
  return [...pieces.flatMap((piece) => events.push(piece)), ...events.end()]
}

const TEXT = ': waiting\n\ndata: {"a":"ü"}\n\nid: 7\nevent: error\ndata: x\ndata:y\nretry: 1\n\n\ndata: [DONE]\n\n'

test('the events of a stream are found however its lines end and wherever it is cut', () => {
  fc.assert(
    fc.property(
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (lineEnd, sizes) => {
        const text = TEXT.replaceAll('\n', lineEnd)
        const pieces: string[] = []
        for (let at = 0, turn = 0; at < text.length; turn += 1) {
          pieces.push(text.slice(at, at + (sizes[turn % sizes.length] ?? 1)))
          at += sizes[turn % sizes.length] ?? 1
        }
        expect(eventsOf(pieces)).toEqual([
          { event: 'message', data: '{"a":"ü"}' },
          { event: 'error', data: 'x\ny' },
          { event: 'message', data: '[DONE]' },
        ])
      },
    ),
  )
})

test('an event between carriage returns is there at once', () => {
  const events = new ServerEvents()
  expect(events.push('data: 1\r\r')).toEqual([{ event: 'message', data: '1' }])
  expect(events.push('\ndata: 2\r\n\r\n')).toEqual([{ event: 'message', data: '2' }])
})

test('the last event counts without a blank line behind it', () => {
  expect(eventsOf(['data: [DONE]'])).toEqual([{ event: 'message', data: '[DONE]' }])
})

test('an event that never ends is given up', () => {
  const events = new ServerEvents()
  expect(() => {
    for (let turn = 0; turn < 100; turn += 1) events.push(`data: ${'x'.repeat(100_000)}\n`)
  }).toThrow('never ended')
})

const piecesOf = (text: string) => eventsOf([text]).map(readChatEvent)

test('an error with a number for its code is an error', () => {
  const [first, second] = piecesOf(sample('09-error-numeric-code.sse'))
  expect(first).toMatchObject({ text: 'part', error: undefined })
  expect(second?.error).toEqual({ message: 'engine died', code: '500' })
})

test('a stream that gives a reason for its end is whole without [DONE]', () => {
  const pieces = piecesOf(sample('10-no-done.sse'))
  expect(pieces.map((piece) => [piece?.text, piece?.isEnd])).toEqual([
    ['whole', false],
    ['', true],
  ])
})

test('an event that is cut off is none', () => {
  const [, rest = ''] = sample('11-http10-truncated.answer').split('\r\n\r\n')
  expect(piecesOf(rest)).toEqual([expect.objectContaining({ text: 'half of', isEnd: false }), undefined])
})

test.each([
  [{ error: 'out of memory' }, 'out of memory', 'upstream_failed'],
  [{ error: { message: 'no', code: null, type: 'overloaded' } }, 'no', 'overloaded'],
  [{ error: { reason: 7 } }, '{"reason":7}', 'upstream_failed'],
])('%o is an error', (value, message, code) => {
  expect(readChat(value).error).toEqual({ message, code })
})

test.each([{ choices: null }, { choices: [] }, { choices: [{ delta: null }] }, { error: null }, [], null, 7, 'x'])(
  '%o says nothing',
  (value) => {
    expect(readChat(value)).toMatchObject({ text: '', isEnd: false, error: undefined })
  },
)

test('whatever an event holds, reading it never throws', () => {
  fc.assert(fc.property(fc.oneof(fc.json(), fc.string()), (data) => void readChatEvent({ event: 'message', data })))
})

test('media types know no case', () => {
  expect(isEventStream('Text/Event-Stream;charset=UTF-8')).toBe(true)
  expect(isEventStream('text/event-streams')).toBe(false)
  expect(isEventStream(null)).toBe(false)
})
