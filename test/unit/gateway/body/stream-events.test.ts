import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { framingOf, StreamEvents } from '../../../../src-main/gateway/body/stream-events.js'

const BOUND = 1024 * 1024

/** Streams whose events end in blank lines of one of the three kinds; the last one may be unfinished. */
const streams = fc
  .tuple(
    fc.constantFrom('\n', '\r\n', '\r'),
    fc.array(fc.array(fc.stringMatching(/^[a-z]*:? ?[ -~]{0,12}$/), { minLength: 1, maxLength: 4 }), { maxLength: 12 }),
    fc.string({ maxLength: 8 }).map((text) => text.replaceAll(/[\r\n]/g, '')),
  )
  .map(([lineEnd, events, tail]) => ({
    lineEnd,
    events: events.map((lines) => lines.map((line) => `data:${line}${lineEnd}`).join('') + lineEnd),
    tail: tail === '' ? '' : `data:${tail}`,
  }))

function cut(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
    const size = sizes[turn % sizes.length]!
    pieces.push(bytes.subarray(at, at + size))
    at += size
  }
  return pieces
}

describe('an event stream cut anywhere', () => {
  test('passes byte for byte, and never half an event', () => {
    fc.assert(
      fc.property(
        streams,
        fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 20 }),
        ({ events, tail }, sizes) => {
          const bytes = Buffer.from(events.join('') + tail)
          const boundaries = new Set([0])
          for (const event of events) boundaries.add([...boundaries].at(-1)! + Buffer.byteLength(event))
          const splitter = new StreamEvents('sse')
          let passed = Buffer.alloc(0)
          for (const piece of cut(bytes, sizes)) {
            // A piece is only lent: what is held must not change with it.
            const lent = Buffer.from(piece)
            const ready = splitter.push(lent)
            passed = Buffer.concat([passed, ready ?? Buffer.alloc(0)])
            lent.fill(0)
            expect(boundaries).toContain(passed.length)
            expect(splitter.atBoundary).toBe(true)
          }
          expect(passed.toString()).toBe(events.join(''))
          expect(Buffer.concat([passed, splitter.rest() ?? Buffer.alloc(0)]).equals(bytes)).toBe(true)
        },
      ),
      { numRuns: 300 },
    )
  })

  test('passes each event with the piece that ends it', () => {
    const splitter = new StreamEvents('sse')
    expect(splitter.push(Buffer.from('data: 1\n'))).toBeUndefined()
    expect(splitter.push(Buffer.from('\ndata: 2'))?.toString()).toBe('data: 1\n\n')
    expect(splitter.push(Buffer.from('\r\n\r'))).toBeUndefined()
    expect(splitter.push(Buffer.from('\n'))?.toString()).toBe('data: 2\r\n\r\n')
    expect(splitter.rest()).toBeUndefined()
  })
})

describe('an event over the bound', () => {
  test('is passed on unfinished, which the splitter remembers until the next whole one', () => {
    const splitter = new StreamEvents('sse')
    const huge = Buffer.alloc(BOUND + 1, 'x')
    expect(splitter.push(huge)?.equals(huge)).toBe(true)
    expect(splitter.atBoundary).toBe(false)
    expect(splitter.push(Buffer.from('x\n\n'))?.toString()).toBe('x\n\n')
    expect(splitter.atBoundary).toBe(true)
  })

  test('costs no more in small pieces than in large ones', () => {
    const splitter = new StreamEvents('sse')
    const piece = Buffer.from('xx')
    const startedAt = performance.now()
    let passed = 0
    for (let sent = 0; sent <= BOUND; sent += 2) passed += splitter.push(piece)?.length ?? 0
    expect(passed).toBeGreaterThan(BOUND)
    // Looking at everything again with each piece took minutes.
    expect(performance.now() - startedAt).toBeLessThan(5_000)
  })
})

describe('a stream of lines', () => {
  test('passes whole lines and holds the beginning of the next', () => {
    const splitter = new StreamEvents('ndjson')
    expect(splitter.push(Buffer.from('{"a":'))).toBeUndefined()
    expect(splitter.push(Buffer.from('1}\n{"b"'))?.toString()).toBe('{"a":1}\n')
    expect(splitter.atBoundary).toBe(true)
    expect(splitter.rest()?.toString()).toBe('{"b"')
  })

  test.each([
    ['text/event-stream', 'sse'],
    ['Text/Event-Stream; charset=utf-8', 'sse'],
    ['application/x-ndjson', 'ndjson'],
    ['application/json', undefined],
  ])('is told by its media type: %s', (type, framing) => {
    expect(framingOf({ 'content-type': type })).toBe(framing)
    expect(framingOf({ 'content-type': type, 'content-encoding': 'gzip' })).toBeUndefined()
  })
})
