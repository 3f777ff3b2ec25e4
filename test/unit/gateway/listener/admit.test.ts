import { describe, expect, test } from 'vitest'
import { createOriginLimits } from '../../../../src-main/gateway/listener/admit.js'

const codeOf = (act: () => unknown): unknown => {
  try {
    act()
    return undefined
  } catch (error) {
    return (error as { code: unknown }).code
  }
}

describe('requests at work at the local listener', () => {
  test('requests of one origin are bounded, and leave room for others and for programs', () => {
    const limits = createOriginLimits({ programs: 1, origin: 2, pages: 10 })
    const leave = limits.enter('https://a.example')
    limits.enter('https://a.example')
    expect(codeOf(() => limits.enter('https://a.example'))).toBe('rate_limited')
    limits.enter('https://b.example')
    limits.enter(undefined)
    expect(codeOf(() => limits.enter(undefined))).toBe('rate_limited')
    leave()
    leave()
    limits.enter('https://a.example')
    expect(codeOf(() => limits.enter('https://a.example'))).toBe('rate_limited')
  })

  test('requests of all pages together are bounded, however many origins they name', () => {
    const limits = createOriginLimits({ programs: 10, origin: 2, pages: 3 })
    const leaves = ['a', 'b', 'c'].map((origin) => limits.enter(origin))
    expect(codeOf(() => limits.enter('d'))).toBe('rate_limited')
    for (const leave of leaves) leave()
    limits.enter('d')
  })
})
