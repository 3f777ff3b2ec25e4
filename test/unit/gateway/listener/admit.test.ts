import { describe, expect, test } from 'vitest'
import { createOriginLimits, isHostAllowed } from '../../../../src-main/gateway/listener/admit.js'

describe('a gateway on loopback', () => {
  test.each([
    'localhost',
    'localhost:8092',
    'LOCALHOST',
    '127.0.0.1:8092',
    '[::1]:8092',
    '192.168.1.4',
    'a.localhost:1',
  ])('answers under %s', (host) => expect(isHostAllowed(host, '127.0.0.1')).toBe(true))

  test.each([
    'evil.example',
    'evil.example:8092',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'notlocalhost',
    '',
    'localhost@evil.example',
    '127.0.0.1:8092@evil.example',
  ])('does not answer under %j', (host) => expect(isHostAllowed(host, '127.0.0.1')).toBe(false))

  test('a gateway on loopback does not answer without a Host', () => {
    expect(isHostAllowed(undefined, '127.0.0.1')).toBe(false)
  })

  test.each(['localhost', '::1', '127.8.9.1'])('is one when it is bound to %s', (bind) => {
    expect(isHostAllowed('evil.example', bind)).toBe(false)
  })
})

test('a gateway that others reach answers under any name', () => {
  expect(isHostAllowed('box.lan', '0.0.0.0')).toBe(true)
  expect(isHostAllowed('box.lan:8092', '192.168.1.4')).toBe(true)
  expect(isHostAllowed(undefined, '0.0.0.0')).toBe(false)
})

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
