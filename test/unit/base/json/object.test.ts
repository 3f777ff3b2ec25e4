import { isUtf8 } from 'node:buffer'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { AppError } from '#shared/errors.js'
import { elementsOf, JsonObjectBytes } from '../../../../src-main/base/json/object.js'
import { JSON_BOUNDS, JsonScanner } from '../../../../src-main/base/json/scanner.js'
import { inLongRun } from '../../../fixtures/long-run.js'

const from = (text: string): JsonObjectBytes => JsonObjectBytes.from(Buffer.from(text))

/** What JSON.parse makes of a body; undefined where it is no JSON object in UTF-8. */
function parsed(bytes: Buffer): Record<string, unknown> | undefined {
  if (!isUtf8(bytes)) return undefined
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8').replace(/^\uFEFF/, ''))
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

function scanned(bytes: Buffer): JsonObjectBytes | undefined {
  try {
    return JsonObjectBytes.from(bytes)
  } catch (error) {
    if (error instanceof AppError && error.code === 'invalid_json') return undefined
    throw error
  }
}

/** Both read the same bodies, and the same members in them. */
function assertSameReading(bytes: Buffer): void {
  const expected = parsed(bytes)
  const object = scanned(bytes)
  if ((object === undefined) !== (expected === undefined)) {
    throw new Error(`read differently: ${JSON.stringify(bytes.toString('latin1'))}`)
  }
  if (object === undefined || expected === undefined) return
  const { names: found } = object
  // JSON.parse keeps the last of several members of a name.
  const isSame = (name: string): boolean =>
    found.indexOf(name) !== found.lastIndexOf(name) ||
    JSON.stringify(JSON.parse(String(object.raw(name)))) === JSON.stringify(expected[name])
  if (new Set(found).size !== Object.keys(expected).length || !found.every(isSame)) {
    throw new Error(`read differently: ${JSON.stringify(bytes.toString('latin1'))}`)
  }
}

/** Keys and strings with what JSON escapes, among them names that requests to models have. */
const names = fc.oneof(fc.constantFrom('model', 'options', 'n', '__proto__', ''), fc.string({ unit: 'grapheme' }))
const bodies = fc.dictionary(names, fc.jsonValue({ maxDepth: 4, stringUnit: 'grapheme' }), { maxKeys: 6 })
const spacing = fc.constantFrom(undefined, 1, '\t', ' \r\n ')

/** The text with some of its letters as \u escapes, and its slashes escaped: other spellings of the same. */
const respelled = (text: string, every: number): string =>
  text.replace(/[a-z]/g, (letter, at: number) =>
    at % every === 0 && isInString(text, at) ? `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}` : letter,
  )

/** Whether that place of JSON text is in a string and no part of an escape. */
function isInString(text: string, wanted: number): boolean {
  let inside = false
  for (let at = 0; at < wanted; at += 1) {
    if (text[at] === '\\') {
      const length = text[at + 1] === 'u' ? 6 : 2
      if (wanted < at + length) return false
      at += length - 1
    } else if (text[at] === '"') inside = !inside
  }
  return inside
}

const mutations = fc.array(
  fc.record({
    at: fc.nat(400),
    kind: fc.constantFrom('drop', 'set', 'insert', 'cut', 'double'),
    byte: fc.oneof(fc.constantFrom(...Buffer.from('{}[]",:\\u0 -+.eE1tfn\n')), fc.nat(255)),
  }),
  { minLength: 1, maxLength: 3 },
)

function mutated(bytes: Buffer, changes: { at: number; kind: string; byte: number }[]): Buffer {
  let now = bytes
  for (const { at: place, kind, byte } of changes) {
    const at = now.length === 0 ? 0 : place % now.length
    const piece = Buffer.of(byte)
    if (kind === 'drop') now = Buffer.concat([now.subarray(0, at), now.subarray(at + 1)])
    else if (kind === 'set') now = Buffer.concat([now.subarray(0, at), piece, now.subarray(at + 1)])
    else if (kind === 'insert') now = Buffer.concat([now.subarray(0, at), piece, now.subarray(at)])
    else if (kind === 'cut') now = now.subarray(0, at)
    else now = Buffer.concat([now.subarray(0, at), now.subarray(Math.max(0, at - 12))])
  }
  return now
}

describe('a JSON object as it was sent', () => {
  test('is read as JSON.parse reads it, for 50,000 generated bodies in all spellings', () => {
    fc.assert(
      fc.property(bodies, spacing, fc.integer({ min: 2, max: 9 }), (body, space, every) => {
        assertSameReading(Buffer.from(respelled(JSON.stringify(body, null, space), every)))
      }),
      { numRuns: inLongRun(50_000, 5_000) },
    )
  })

  test('is taken and refused as JSON.parse takes and refuses it, for 50,000 damaged bodies', () => {
    fc.assert(
      fc.property(bodies, spacing, mutations, (body, space, changes) => {
        assertSameReading(mutated(Buffer.from(JSON.stringify(body, null, space)), changes))
      }),
      { numRuns: inLongRun(50_000, 5_000) },
    )
  })

  test('is read the same in whatever pieces it comes', () => {
    fc.assert(
      fc.property(bodies, fc.array(fc.nat(60), { minLength: 1 }), (body, lengths) => {
        const bytes = Buffer.from(JSON.stringify(body))
        const scanner = new JsonScanner()
        for (let at = 0, turn = 0; at < bytes.length; turn += 1) {
          const length = 1 + (lengths[turn % lengths.length] ?? 0)
          scanner.push(bytes.subarray(at, at + length))
          at += length
        }
        const whole = JsonObjectBytes.from(bytes)
        const inPieces = JsonObjectBytes.scanned(bytes, scanner)
        expect(inPieces.names).toEqual(whole.names)
        for (const name of whole.names) expect(inPieces.raw(name)).toEqual(whole.raw(name))
      }),
      { numRuns: 2_000 },
    )
  })

  test('changed members are what JSON.parse finds, and every other byte stays as it was', () => {
    const changes = fc.dictionary(
      names,
      fc.oneof(
        fc.constant(null),
        fc.jsonValue().map((value) => JSON.stringify(value)),
      ),
    )
    fc.assert(
      fc.property(bodies, spacing, changes, (body, space, wanted) => {
        const object = from(JSON.stringify(body, null, space))
        const result = object.with(new Map(Object.entries(wanted)))
        const expected = new Map(Object.entries(JSON.parse(JSON.stringify(body)) as object))
        for (const [name, text] of Object.entries(wanted)) {
          if (text === null) expected.delete(name)
          else expected.set(name, JSON.parse(text))
        }
        expect(new Map(Object.entries(JSON.parse(String(result.bytes)) as object))).toEqual(expected)
        const again = JsonObjectBytes.from(result.bytes)
        for (const name of again.names) expect(result.raw(name)).toEqual(again.raw(name))
        expect(result.names).toEqual(again.names)
        for (const name of object.names) {
          if (!Object.hasOwn(wanted, name)) expect(result.raw(name)).toEqual(object.raw(name))
        }
      }),
      { numRuns: 3_000 },
    )
  })

  test('numbers, order, spacing and unknown members of a changed body arrive as they were sent', () => {
    const sent = '{ "seed":18446744073709551615,"x" : [1.0,-0,1e400 ],\n"model":"a", "y":9007199254740993 }'
    expect(String(from(sent).with(new Map([['model', '"/b"']])).bytes)).toBe(sent.replace('"a"', '"/b"'))
  })

  test('every member of a name that is to go goes, in whatever spelling', () => {
    const object = from('{"a":1,"\\u0061":2,"b":3,"a":4}')
    expect(String(object.with(new Map([['a', null]])).bytes)).toBe('{"b":3}')
  })

  test('a member that stands there twice is found whatever its spelling', () => {
    expect(() => from('{"model":"a","mod\\u0065l":"b"}').assertOnce(['n', 'model'])).toThrow(
      expect.objectContaining({ code: 'invalid_request', param: 'model' }) as Error,
    )
    expect(() => from('{"model":"a","x":{"model":"b"}}').assertOnce(['n', 'model'])).not.toThrow()
  })

  test('a byte order mark before it is no error and goes no further, also in pieces', () => {
    const bytes = Buffer.from('\uFEFF{"model":"a"}')
    expect(String(JsonObjectBytes.from(bytes).bytes)).toBe('{"model":"a"}')
    const scanner = new JsonScanner()
    for (const byte of bytes) scanner.push(Uint8Array.of(byte))
    expect(JsonObjectBytes.scanned(bytes, scanner).text('model')).toBe('a')
  })

  test('a long string is no name and no flag, and is not read', () => {
    expect(from(`{"model":"${'a'.repeat(20_000)}"}`).text('model')).toBeUndefined()
  })

  test('the sentence of an error names the place and nothing of the body', () => {
    expect(() => from('{"prompt":"secret words",}')).toThrow(
      /^The request body is not valid JSON: malformed at position 25\.$/,
    )
    expect(() => from('["secret"]')).toThrow(/^The request body must be a JSON object\.$/)
    expect(() => from('{"prompt":"secret')).toThrow(/^The request body is not valid JSON: it ends too early\.$/)
  })

  test('more levels, values or members than are read end with body_too_large while the rest need not come', () => {
    const { depth, values, members } = JSON_BOUNDS
    const beginnings = [
      `{"a":${'['.repeat(depth)}`,
      `{"a":[${'{},'.repeat(values)}`,
      `{${Array.from({ length: members + 1 }, (_, index) => `"${index}":0`).join(',')}`,
    ]
    for (const text of beginnings) {
      const scanner = new JsonScanner()
      expect(() => scanner.push(Buffer.from(text))).toThrow(
        expect.objectContaining({ code: 'body_too_large' }) as Error,
      )
    }
    expect(from(`{"a":${'['.repeat(depth - 1)}${']'.repeat(depth - 1)}}`).names).toEqual(['a'])
  })
})

describe('the beginning of an object', () => {
  test('tells the members that are there, the last one as far as it goes', () => {
    const object = JsonObjectBytes.fromBeginning(Buffer.from('{"role":"user","content":"a long sto'))
    expect(object?.text('role')).toBe('user')
    expect(String(object?.raw('content'))).toBe('"a long sto')
  })

  test('is read up to the end of the object where more follows', () => {
    const object = JsonObjectBytes.fromBeginning(Buffer.from('{"role":"user"},{"role":"system"}'))
    expect(object?.names).toEqual(['role'])
  })
})

describe('the elements of an array', () => {
  test('are the ones that JSON.parse finds', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), spacing, (values, space) => {
        const found = [...elementsOf(Buffer.from(JSON.stringify(values, null, space)))]
        expect(found.map((element) => JSON.parse(String(element)) as unknown)).toEqual(
          JSON.parse(JSON.stringify(values)),
        )
      }),
      { numRuns: 2_000 },
    )
  })
})
