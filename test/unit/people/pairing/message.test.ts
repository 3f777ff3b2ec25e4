import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  codeOf,
  commitmentOf,
  decode,
  encode,
  keeps,
  MAX_FRAME_BYTES,
  type Message,
  newNonce,
} from '../../../../src-main/people/pairing/message.js'

const ANN = '12D3KooWK99VoVxNE7XzyBwXEzW7xhK7Gpv85r9F3V3fyKSUKPH5'
const BOB = '12D3KooWRndVhVZPCiQwHBBBdg769GyrPUW13zxwqQyf9r3ANaba'
const SIDES = { asker: ANN, asked: BOB }
const nonce = fc.uint8Array({ minLength: 32, maxLength: 32 })
const message: fc.Arbitrary<Message> = fc.oneof(
  nonce.map((commitment): Message => ({ kind: 'commit', commitment })),
  fc.record({ kind: fc.constantFrom('nonce' as const, 'reveal' as const), nonce }),
  fc.record({ kind: fc.constantFrom('confirm' as const, 'ready' as const) }),
  fc.record({
    kind: fc.constant('no' as const),
    reason: fc.constantFrom('refused' as const, 'differ' as const, 'mismatch' as const, 'crossed' as const),
  }),
)
/** With bytes as hex digits, whatever kind of array holds them. */
const plain = (value: object | undefined): unknown =>
  Object.fromEntries(
    Object.entries(value ?? {}).map(([key, part]: [string, unknown]) => [
      key,
      part instanceof Uint8Array ? Buffer.from(part).toString('hex') : part,
    ]),
  )

describe('a frame of pairing', () => {
  test('a frame of pairing says after its way what it said before', () => {
    fc.assert(
      fc.property(message, (sent) => {
        expect(plain(decode(encode(sent)))).toEqual(plain(sent))
      }),
    )
  })

  test('a name of any length and script fits a frame of pairing and stays whole characters', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 120 }), (name) => {
        const frame = encode({ kind: 'stored', name })
        expect(frame.length).toBeLessThanOrEqual(MAX_FRAME_BYTES)
        expect(decode(frame)).toMatchObject({ kind: 'stored' })
      }),
    )
    expect(decode(encode({ kind: 'stored', name: '👩‍💻'.repeat(90) }))).toMatchObject({
      name: expect.not.stringContaining('\uFFFD') as string,
    })
  })

  test('bytes that are no frame of pairing are read as none, whatever they are', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        const read = decode(bytes)
        if (read !== undefined && read.kind !== 'stored') expect([...encode(read)]).toEqual([...bytes])
      }),
      { numRuns: 2_000 },
    )
    for (const bytes of [[], [0], [8], [7], [7, 99], [4, 0], [1, 2, 3]]) {
      expect(decode(Uint8Array.from(bytes))).toBeUndefined()
    }
  })
})

describe('the code of a pairing', () => {
  test('the code of a pairing is six digits, another one for other peers, roles or nonces', () => {
    fc.assert(
      fc.property(nonce, nonce, (asker, asked) => {
        const code = codeOf(SIDES, { asker, asked })
        expect(code).toMatch(/^\d{3} \d{3}$/)
        expect(codeOf(SIDES, { asker, asked })).toBe(code)
        const others = [
          codeOf({ asker: BOB, asked: ANN }, { asker, asked }),
          codeOf({ asker: ANN, asked: ANN }, { asker, asked }),
          codeOf(SIDES, { asker: newNonce(), asked }),
          codeOf(SIDES, { asker, asked: newNonce() }),
        ]
        // One may be the same by chance.
        expect(others.filter((other) => other === code).length).toBeLessThan(2)
      }),
    )
  })

  test('the codes of pairings are spread evenly over the digits', () => {
    const counts = Array.from({ length: 10 }, () => 0)
    const asked = newNonce()
    for (let round = 0; round < 20_000; round += 1) {
      const digit = Number(codeOf(SIDES, { asker: newNonce(), asked })[0])
      counts[digit] = (counts[digit] ?? 0) + 1
    }
    for (const count of counts) expect(Math.abs(count - 2_000)).toBeLessThan(300)
  })

  test('a promise holds for its nonce, asker and asked alone', () => {
    fc.assert(
      fc.property(nonce, nonce, (own, other) => {
        fc.pre(Buffer.compare(own, other) !== 0)
        const promised = commitmentOf(SIDES, own)
        expect(keeps(promised, SIDES, own)).toBe(true)
        expect(keeps(promised, SIDES, other)).toBe(false)
        expect(keeps(promised, { asker: BOB, asked: ANN }, own)).toBe(false)
        expect(keeps(promised, { asker: ANN, asked: ANN }, own)).toBe(false)
      }),
    )
  })
})

describe('what version 1 of pairing says', () => {
  /** What version 1 wrote: never changed, as programs of it are out there. */
  const recorded = JSON.parse(
    readFileSync(join(import.meta.dirname, '..', '..', '..', 'fixtures', 'wire', 'pairing-v1.json'), 'utf8'),
  ) as Record<'askerNonce' | 'askedNonce' | 'code' | Message['kind'], string> & { no: Record<string, string> }
  const bytes = (hex: string): Uint8Array => Buffer.from(hex, 'hex')
  const hex = (sent: Message): string => Buffer.from(encode(sent)).toString('hex')

  test('both sides of a pairing still show the same code for the same nonces, in the same frames', () => {
    const [asker, asked] = [bytes(recorded.askerNonce), bytes(recorded.askedNonce)]
    expect(codeOf(SIDES, { asker, asked })).toBe(recorded.code)
    expect(hex({ kind: 'commit', commitment: commitmentOf(SIDES, asker) })).toBe(recorded.commit)
    expect(hex({ kind: 'nonce', nonce: asked })).toBe(recorded.nonce)
    expect(hex({ kind: 'reveal', nonce: asker })).toBe(recorded.reveal)
    expect(hex({ kind: 'confirm' })).toBe(recorded.confirm)
    expect(hex({ kind: 'ready' })).toBe(recorded.ready)
    expect(hex({ kind: 'stored', name: 'Ann' })).toBe(recorded.stored)
    for (const [reason, frame] of Object.entries(recorded.no))
      expect(decode(bytes(frame))).toEqual({ kind: 'no', reason })
  })
})
