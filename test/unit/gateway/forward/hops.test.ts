import { describe, expect, test } from 'vitest'
import type { AppError } from '#shared/errors.js'
import { nextHops } from '../../../../src-main/gateway/forward/headers.js'

const id = (letter: string): string => `12D3KooW${letter.repeat(44)}`
const OWN = id('Z')

function codeOf(act: () => unknown): string {
  try {
    act()
  } catch (error) {
    return (error as AppError).code
  }
  return 'none'
}

describe('the hops of a request', () => {
  test('begin with this node and grow by it', () => {
    expect(nextHops(undefined, OWN)).toBe(OWN)
    expect(nextHops(id('a'), OWN)).toBe(`${id('a')},${OWN}`)
    expect(nextHops(` ${id('a')} , ${id('b')}`, OWN)).toBe(`${id('a')},${id('b')},${OWN}`)
    expect(nextHops([id('a'), id('b')], OWN)).toBe(`${id('a')},${id('b')},${OWN}`)
  })

  test('that hold this node already are a loop', () => {
    expect(codeOf(() => nextHops(OWN, OWN))).toBe('loop_detected')
    expect(codeOf(() => nextHops(`${id('a')},${OWN},${id('b')}`, OWN))).toBe('loop_detected')
  })

  test('are at most eight gateways', () => {
    const path = (count: number): string => Array.from({ length: count }, (_, at) => id('abcdefgh'[at]!)).join(',')
    expect(nextHops(path(7), OWN).split(',')).toHaveLength(8)
    expect(codeOf(() => nextHops(path(8), OWN))).toBe('loop_detected')
  })

  test('carry nothing that is no peer id', () => {
    expect(nextHops(`secret note, <script>, ${'x'.repeat(9_000)},, ${id('a')}`, OWN)).toBe(`${id('a')},${OWN}`)
  })
})
