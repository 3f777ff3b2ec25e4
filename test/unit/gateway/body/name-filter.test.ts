import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { NameFilter } from '../../../../src-main/gateway/body/name-filter.js'
import { hiddenNames } from '../../../../src-main/gateway/body/private-names.js'
import { spelled, understood } from '../../../fixtures/spellings.js'

/** `FUZZ_RUNS=100000` for a long look. */
const numRuns = Number(process.env['FUZZ_RUNS'] ?? 1_000)

const UNIX = '/home/jörg/models/Qwen3 8B.gguf'
const WINDOWS = 'C:\\Users\\Jörg\\models\\x.gguf'
const OWNER = { home: '/home/jörg', user: 'jörg' }

const filter = new NameFilter(hiddenNames([UNIX, WINDOWS], OWNER))

/** What comes out of pieces of any size. */
function through(names: NameFilter, pieces: readonly Buffer[]): Buffer {
  const out: Buffer[] = []
  let held: Buffer | undefined
  for (const piece of pieces) {
    const passed = names.filter(held === undefined ? piece : Buffer.concat([held, piece]), false)
    out.push(passed.ready)
    held = passed.held
  }
  if (held !== undefined) out.push(names.filter(held, true).ready)
  return Buffer.concat(out)
}

function cutAt(whole: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [0, ...cuts.map((cut) => cut % (whole.length + 1)).sort((a, b) => a - b), whole.length]
  return places.slice(1).map((end, at) => whole.subarray(places[at], end))
}

const shown = (text: string): string => through(filter, [Buffer.from(text)]).toString()

describe('a private path', () => {
  test.each([
    ['as it is', UNIX],
    ['in JSON of ASCII', '/home/j\\u00f6rg/models/Qwen3 8B.gguf'],
    ['with capital digits', '/home/j\\u00F6rg/models/Qwen3 8B.gguf'],
    ['with escaped slashes', '\\/home\\/jörg\\/models\\/Qwen3 8B.gguf'],
    ['in JSON in JSON', '/home/j\\\\u00f6rg/models/Qwen3 8B.gguf'],
    ['decomposed', UNIX.normalize('NFD')],
    ['percent-encoded', '/home/j%C3%B6rg/models/Qwen3%208B.gguf'],
    ['percent-encoded throughout, twice', '%252Fhome%252fj%25c3%25b6rg%252Fmodels%252FQwen3%25208B.gguf'],
    ['as a form', '/home/j%C3%B6rg/models/Qwen3+8B.gguf'],
    ['as Python shows bytes', '/home/j\\xc3\\xb6rg/models/Qwen3 8B.gguf'],
    ['as Rust escapes', '/home/j\\u{f6}rg/models/Qwen3 8B.gguf'],
    ['in entities', '&#47;home&sol;j&#xF6;rg/models/Qwen3 8B.gguf'],
    ['in another case', '/HOME/JÖRG/models/qwen3 8b.gguf'],
    ['with doubled slashes', '//home//jörg/models/Qwen3 8B.gguf'],
  ])('is shown as the public name: %s', (_, path) => {
    expect(shown(`{"model":"${path}"}`)).toBe('{"model":"Qwen3 8B.gguf"}')
  })

  test.each([
    ['as JSON has it', 'C:\\\\Users\\\\Jörg\\\\models\\\\x.gguf'],
    ['raw', WINDOWS],
    ['with a small drive letter', 'c:\\Users\\Jörg\\models\\x.gguf'],
    ['with slashes', 'C:/Users/Jörg/models/x.gguf'],
    ['in JSON of ASCII', 'C:\\\\Users\\\\J\\u00f6rg\\\\models\\\\x.gguf'],
  ])('of Windows is shown as the public name: %s', (_, path) => {
    expect(shown(`failed to load "${path}": no`)).toBe('failed to load "x.gguf": no')
  })

  test('in Latin-1 is found as well', () => {
    const { ready } = filter.filter(Buffer.from('open /home/jörg failed', 'latin1'), true)
    expect(ready.toString()).toBe('open … failed')
  })

  test('of characters beyond 16 bits is found in surrogate pairs', () => {
    const names = new NameFilter(hiddenNames(['/home/😀/x.gguf'], { home: undefined, user: undefined }))
    expect(through(names, [Buffer.from('"\\/home/\\uD83D\\ude00/x.gguf"')]).toString()).toBe('"x.gguf"')
  })

  test.each([
    ['the folder of the model', 'no such file: /home/jörg/models', 'no such file: …'],
    ['another file in that folder', '/home/jörg/models/other.gguf', '…/other.gguf'],
    ['the home', 'in "/home/jörg".', 'in "…".'],
    ['the home on a mounted disk', '/mnt/c/Users/J\\u00f6rg/x', '/mnt/c…/x'],
    ['a longer name of the file', '/home/jörg/models/Qwen3 8B.gguf2', '…/Qwen3 8B.gguf2'],
    ['a path that goes on behind the name', '/home/jörg/models/Qwen3 8B.gguf/shard', 'Qwen3 8B.gguf/shard'],
  ])('in part is hidden too: %s', (_, text, expected) => {
    expect(shown(text)).toBe(expected)
  })

  test.each([
    'GET /v1/models HTTP/1.1',
    '/home/jörgen and /home/jo and /home/',
    '/home/anna/models/Qwen3 8B.gguf',
    'jörg/models, models/Qwen3 8B.gguf, Qwen3 8B.gguf',
    '{"text":"a\\\\n\\n\\u00f6 50% &amp; \\"C:\\\\Users\\\\Public\\" \\ud83d"}',
    'C:\\Users, c:, /Users/, \\\\',
  ])('is not seen where there is none: %s', (text) => {
    const bytes = Buffer.from(text)
    expect(filter.filter(bytes, true)).toEqual({ ready: bytes, held: undefined })
    expect(filter.filter(bytes, true).ready).toBe(bytes)
  })

  test('leaves valid JSON behind, whatever escapes stand before it', () => {
    const names = new NameFilter([{ name: 'nous/hermes/x.gguf', shown: 'x.gguf' }])
    for (const text of [
      'a\nnous/hermes/x.gguf',
      'a\\nous/hermes/x.gguf',
      'a\\\nnous/hermes/x.gguf',
      '"/nous/hermes/x.gguf"',
    ]) {
      const { ready } = names.filter(Buffer.from(JSON.stringify({ text })), true)
      expect(Object.keys(JSON.parse(ready.toString()) as object)).toEqual(['text'])
    }
  })
})

describe('a stream', () => {
  test('an event passes whole as soon as it came', () => {
    const event = Buffer.from('data: {"choices":[{"delta":{"content":"50%"}}],"model":"m"}\n\n')
    expect(filter.filter(event, false)).toEqual({ ready: event, held: undefined })
    const named = filter.filter(Buffer.from(`data: {"model":"${UNIX}"}\n\n`), false)
    expect([named.ready.toString(), named.held]).toEqual(['data: {"model":"Qwen3 8B.gguf"}\n\n', undefined])
  })

  test('holds back no more than what may be the beginning of a name', () => {
    const { ready, held } = filter.filter(Buffer.from('loading /home/j\\u00f'), false)
    expect([ready.toString(), held?.toString()]).toEqual(['loading ', '/home/j\\u00f'])
  })

  test('holds back a bounded number of bytes, however a beginning is drawn out', () => {
    for (const filler of ['/', '\\', '%25', '\u0301']) {
      const { held } = filter.filter(Buffer.from(`/home${filler.repeat(100_000)}`), false)
      expect(held?.length ?? 0).toBeLessThan(200)
    }
  })

  test('takes time in proportion to its length, whatever it repeats', () => {
    for (const filler of ['/', '\\', '/home', '%25', '&#4', '/home/jörg/models/Qwen3 8B.ggu']) {
      const data = Buffer.from(filler.repeat(300_000 / filler.length))
      const from = process.cpuUsage().user
      filter.filter(data, true)
      expect([filler, process.cpuUsage().user - from < 5_000_000]).toEqual([filler, true])
    }
  })

  test('is the same however it is cut into pieces', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        '/',
        '\\',
        '/home/',
        'jörg',
        'data: {"m":"',
        '"}\n\n',
        '%2',
        '\\u00',
        '&#',
        'C:',
        UNIX.slice(0, 20),
      ),
      spelled(UNIX),
      spelled(WINDOWS),
      fc.string({ unit: 'grapheme' }),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 8 }), fc.array(fc.nat(2_000), { maxLength: 12 }), (pieces, cuts) => {
        const whole = Buffer.from(pieces.join(''))
        expect(through(filter, cutAt(whole, cuts)).toString('hex')).toBe(
          filter.filter(whole, true).ready.toString('hex'),
        )
      }),
      { numRuns },
    )
  })
})

describe('a reader that decodes what came', () => {
  const secrets = [UNIX, WINDOWS, '/home/jörg', '/home/jörg/models', 'C:\\Users\\Jörg', '/mnt/c/Users/Jörg']
  const path = fc.constantFrom(...secrets).chain(spelled)
  const around = fc.constantFrom(
    '',
    ' ',
    '"',
    '{"model":"',
    '"}\n\n',
    ': ',
    '\n',
    '(',
    '[',
    'é ',
    'data: ',
    '=',
    '%20',
    '\\n',
  )
  const FORBIDDEN = /(?:home|users)\/j(?:ö|o\u0308)rg(?![\p{L}\p{N}_])/u

  test('never finds a private path, in any spelling and in any pieces', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(
            around,
            path,
            around.filter((text) => text !== 'é '),
          ),
          { minLength: 1, maxLength: 3 },
        ),
        fc.array(fc.nat(1_000), { maxLength: 4 }),
        (parts, cuts) => {
          const whole = Buffer.from(parts.map((part) => part.join(' ')).join(' '))
          for (const text of understood(through(filter, cutAt(whole, cuts)))) expect(text).not.toMatch(FORBIDDEN)
        },
      ),
      { numRuns },
    )
  })

  test('never finds one in a header', () => {
    fc.assert(
      fc.property(around, path, around, (before, name, behind) => {
        const value = filter.filterHeader(Buffer.from(`${before} ${name} ${behind}`).toString('latin1'))
        for (const text of understood(Buffer.from(value, 'latin1'))) expect(text).not.toMatch(FORBIDDEN)
      }),
      { numRuns },
    )
  })

  test('gets every byte of what holds no private path', () => {
    const piece = fc.oneof(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      fc.json().map((text) => Buffer.from(text)),
      fc.webUrl().map((text) => Buffer.from(text)),
      fc
        .constantFrom('/home/anna/x', 'C:\\Users\\', '\\\\u00f6', '%25', '/Users/j', 'Jörg', '\\/')
        .map((text) => Buffer.from(text)),
    )
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 6 }), fc.array(fc.nat(300), { maxLength: 5 }), (pieces, cuts) => {
        const whole = Buffer.concat(pieces)
        fc.pre(!understood(whole).some((text) => /j(?:ö|o)rg/.test(text)))
        expect(through(filter, cutAt(whole, cuts)).toString('hex')).toBe(whole.toString('hex'))
      }),
      { numRuns },
    )
  })
})
