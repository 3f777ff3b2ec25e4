import { describe, expect, test } from 'vitest'
import { isHostAllowed } from '../../../src-main/gateway/listener/admit.js'

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

  test('does not answer without a Host', () => {
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
