import { describe, expect, test } from 'vitest'
import {
  describeRegistration,
  parseRegistration,
  serviceIdOf,
} from '../../../../src-main/services/registry/registration.js'
import { isLoopbackHost } from '../../../../src-main/services/registry/target.js'

const STRICT = { allowRemoteTarget: false }

test('what is not told gets the defaults of the design', () => {
  expect(parseRegistration({ name: 'llm', port: 8000, host: undefined }, STRICT)).toEqual({
    name: 'llm',
    host: '127.0.0.1',
    port: 8000,
    healthPath: '/health',
    healthRetries: 6000,
    healthIntervalMs: 10_000,
    identityGroups: [],
    sharedPaths: [],
    visibility: 'everyone',
    visibilities: new Map(),
    aliases: new Map(),
    models: 'all',
    except: [],
    apiKey: undefined,
    basePath: '',
  })
})

test('the id tells name, host and port', () => {
  expect(serviceIdOf({ name: 'llm', host: '127.0.0.1', port: 11434 })).toBe('llm@127.0.0.1:11434')
  expect(serviceIdOf({ name: 'llm', host: '[::1]', port: 1 })).toBe('llm@[::1]:1')
})

test('every fault is told at once', () => {
  const faulty = {
    name: 'a/b',
    host: 'x y',
    port: 0,
    healthPath: 'health',
    healthRetries: -1,
    healthIntervalMs: 0,
    identityGroups: ['nonsense'],
    sharedPaths: [{ method: 'POST', path: '/a/../b' }],
  }
  expect(() => parseRegistration(faulty, STRICT)).toThrow(
    /name.*host.*port.*health path.*retries.*interval.*\/a\/\.\.\/b.*nonsense/,
  )
})

test('a description does not tell the key', () => {
  const registration = parseRegistration({ name: 'llm', port: 1, apiKey: 'secret', visibility: 'me' }, STRICT)
  expect(describeRegistration(registration)).toBe('llm at 127.0.0.1:1 (this machine only)')
})

describe('a host', () => {
  test.each(['127.0.0.1', '127.9.9.9', '::1', '[::1]', 'localhost', 'LOCALHOST'])('%s is this machine', (host) => {
    expect(isLoopbackHost(host)).toBe(true)
  })

  test.each([
    '0.0.0.0',
    '::',
    '192.168.0.1',
    '::ffff:192.168.0.1',
    '127.1',
    '0x7f.1',
    '2130706433',
    'localhost.evil.org',
    '',
  ])('%s is not taken for this machine', (host) => {
    expect(isLoopbackHost(host)).toBe(false)
  })
})

test('identity groups that no row could hold are refused', () => {
  const identityGroups = Array.from({ length: 40 }, (_, index) => `key${index}=${'x'.repeat(100)}`)
  expect(() => parseRegistration({ name: 'llm', port: 1, identityGroups }, STRICT)).toThrow(/more than the 3072 bytes/)
})

test.each([
  ['gpt2', 'is neither key=value nor "all"'],
  ['=gpt2', 'has an empty key or value'],
  ['model=', 'has an empty key or value'],
])('the identity group "%s" is refused, and the sentence says why', (entry, why) => {
  const register = () => parseRegistration({ name: 'llm', port: 1, identityGroups: ['lang=en', entry] }, STRICT)
  expect(register).toThrow(
    expect.objectContaining({
      code: 'invalid_service',
      message: expect.stringContaining(`the identity group "${entry}" ${why}`) as string,
    }),
  )
})
