import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  EVERY_PATH,
  isPathShared,
  LLM_SHARED_PATHS,
  parseSharedPath,
} from '../../../../src-main/services/sharing/shared-paths.js'
import { disguises, MANAGEMENT } from '../../../fixtures/model-servers/management-paths.js'

const isLlmShared = (method: string, path: string): boolean => isPathShared(LLM_SHARED_PATHS, method, path)

describe('what the service llm shares', () => {
  test.each([
    ['GET', '/v1/models'],
    ['HEAD', '/v1/models'],
    ['GET', '/v1/models?limit=2'],
    ['POST', '/v1/chat/completions'],
    ['POST', '/v1/chat/completions?api-version=1&x=../..'],
    ['POST', '/v1/audio/transcriptions'],
    ['POST', '/v1/images/generations'],
    ['POST', '/v1/images/org%2Fmodel/edits'],
    ['POST', '/api/chat'],
  ])('%s %s is shared', (method, path) => {
    expect(isLlmShared(method, path)).toBe(true)
  })

  test.each([
    ['POST', '/v1/models'],
    ['GET', '/v1/chat/completions'],
    ['DELETE', '/api/delete'],
    ['POST', '/api/pull'],
    ['GET', '/slots'],
    ['POST', '/v1/load_lora_adapter'],
    ['GET', '/v1/models/'],
    ['GET', '/V1/models'],
    ['GET', '/v1/models#fragment'],
    ['GET', '//v1/models'],
    ['GET', '/v1//models'],
    ['GET', '/v1/mod%65ls'],
    ['GET', '/v1%2Fmodels'],
    ['POST', '/v1/audio'],
    ['POST', '/v1/audio/../../api/pull'],
    ['POST', '/v1/audio/%2e%2e/%2E%2E/api/pull'],
    ['POST', '/v1/audio/..%2f..%2fapi/pull'],
    ['POST', '/v1/audio/%252e%252e%252f%252e%252e/api/pull'],
    ['POST', '/v1/audio/..\\..\\api\\pull'],
    ['POST', '/v1/audio/..%5c..%5capi%5cpull'],
    ['POST', '/v1/audio/..;/..;x=1/api/pull'],
    ['POST', '/v1/audio/%c0%ae%c0%ae/api/pull'],
    ['POST', '/v1/audio/%EF%BC%8E%EF%BC%8E/api/pull'],
    ['POST', '/v1/audio/a%EF%BC%8Fb'],
    ['POST', '/v1/audio/..%20/x'],
    ['POST', '/v1/audio/..%3f'],
    ['POST', '/v1/audio/..%23'],
    ['POST', '/v1/audio/x//y'],
    ['POST', '/v1/audio/x%2f%2fy'],
    ['POST', '/v1/audio/x%00.wav'],
    ['POST', '/v1/audio/x%0d%0aHost: y'],
    ['POST', '/v1/audio/%zz'],
    ['POST', '/v1/audio/%2525252525252e'],
    ['POST', 'http://127.0.0.1/v1/audio/x'],
    ['POST', ''],
    ['POST', '*'],
  ])('%s %s is not shared', (method, path) => {
    expect(isLlmShared(method, path)).toBe(false)
  })
})

test('no management path of any server is shared, in no disguise and by no method', () => {
  const reached = MANAGEMENT.flatMap(([method, path]) =>
    disguises(path).flatMap((disguise) =>
      [method, 'GET', 'POST', 'HEAD']
        .filter((each) => isLlmShared(each, disguise))
        .map((each) => `${each} ${disguise}`),
    ),
  )
  expect(MANAGEMENT.length).toBeGreaterThan(100)
  expect(reached).toEqual([])
})

describe('a service that shares every path', () => {
  test.each(['/', '/a//b', '/files/a%2Fb', '/a?b=../c', '/100%25'])('shares %s', (path) => {
    expect(isPathShared(EVERY_PATH, 'DELETE', path)).toBe(true)
  })

  test.each(['//other.host/x', '/%2fother.host/x', '/../x', '/a/%2e%2e/x', '/a%00', '/a b', '/é'])(
    'does not take %s',
    (path) => {
      expect(isPathShared(EVERY_PATH, 'GET', path)).toBe(false)
    },
  )
})

test('nothing is shared where no path is', () => {
  expect(isPathShared([], 'GET', '/')).toBe(false)
})

test('however a server normalises a path that passed, what it reaches is shared', () => {
  const shared = LLM_SHARED_PATHS
  const piece = fc.constantFrom(
    ...['/', '/', '/', '//', '\\', '%2f', '%2F', '%5c', '%252f', '%255c', '%c0%af', '%EF%BC%8F'],
    ...[
      '.',
      '..',
      '%2e',
      '%2E%2e',
      '%252e',
      '.%2e',
      '..;',
      '..;x',
      ';a=b',
      '%20',
      '%00',
      '%3f',
      '%23',
      '?',
      '#',
      '%',
      '%25',
    ],
    ...['v1', 'audio', 'images', 'models', 'chat', 'completions', 'api', 'pull', 'slots', 'x', '%61pi', '%76%31', 'é'],
  )
  const start = fc.constantFrom('', '/', '/v1/audio/', '/v1/images/', '/v1/models', '/api/chat')
  const path = fc.tuple(start, fc.array(piece, { maxLength: 10 })).map(([first, rest]) => first + rest.join(''))
  const order = fc.shuffledSubarray(Object.keys(NORMALISATIONS), { minLength: 0 })
  const orders = fc.array(order, { minLength: 1, maxLength: 3 }).map((rounds) => rounds.flat())
  let passed = 0

  fc.assert(
    fc.property(path, fc.constantFrom('GET', 'POST'), orders, (rawPath, method, steps) => {
      if (!isPathShared(shared, method, rawPath)) return
      passed += 1
      const reached = steps.reduce((form, step) => NORMALISATIONS[step]!(form), rawPath.split('?')[0]!)
      expect(isInside(method, reached), `${method} ${rawPath} → ${reached} by ${steps.join(', ')}`).toBe(true)
    }),
    { numRuns: 20_000 },
  )
  expect(passed).toBeGreaterThan(500)
})

/** What servers do to a path before they look it up. */
const NORMALISATIONS: Record<string, (path: string) => string> = {
  decode: (path) =>
    path.replace(/(?:%[0-9a-f]{2})+/gi, (escapes) => Buffer.from(escapes.replaceAll('%', ''), 'hex').toString('utf8')),
  collapseSlashes: (path) => path.replace(/\/{2,}/g, '/'),
  turnBackslashes: (path) => path.replaceAll('\\', '/'),
  dropParameters: (path) => path.replace(/;[^/]*/g, ''),
  cutAtNul: (path) => path.split('\0')[0]!,
  cutAtQuery: (path) => path.split('?')[0]!,
  compatibility: (path) => path.normalize('NFKC'),
  trimSegments: (path) =>
    path
      .split('/')
      .map((segment) => segment.trim())
      .join('/'),
  resolveDots(path) {
    const kept: string[] = []
    for (const segment of path.split('/').slice(1)) {
      if (segment === '..') kept.pop()
      else if (segment !== '.') kept.push(segment)
    }
    return `/${kept.join('/')}`
  },
}

function isInside(method: string, path: string): boolean {
  if (method === 'GET') return path === '/v1/models'
  const exact = LLM_SHARED_PATHS.filter((shared) => shared.method === 'POST' && !shared.path.endsWith('*'))
  return exact.some((shared) => shared.path === path) || /^\/v1\/(audio|images)\//.test(path)
}

describe('a path the owner shares', () => {
  test('has any method unless one is written', () => {
    expect(parseSharedPath('/v1/echo')).toEqual({ method: '*', path: '/v1/echo' })
    expect(parseSharedPath('post /v1/echo')).toEqual({ method: 'POST', path: '/v1/echo' })
    expect(parseSharedPath('* /v1/files/*')).toEqual({ method: '*', path: '/v1/files/*' })
  })

  test.each(['', 'v1/echo', 'POST', '/a/../b', '/a//b', '/a*b', '/a?b', '/a b', '/%2e', 'POST  GET /x', '/a\\b'])(
    'can not be written "%s"',
    (text) => {
      expect(() => parseSharedPath(text)).toThrow(expect.objectContaining({ code: 'invalid_service' }))
    },
  )
})

describe('a WebSocket', () => {
  test('is shared only where it is named', () => {
    const named = [parseSharedPath('websocket /v1/realtime')]
    expect(isPathShared(named, 'WEBSOCKET', '/v1/realtime?model=a')).toBe(true)
    expect(isPathShared(named, 'GET', '/v1/realtime')).toBe(false)
    expect(isPathShared([parseSharedPath('/*')], 'WEBSOCKET', '/v1/realtime')).toBe(false)
    expect(isPathShared(LLM_SHARED_PATHS, 'WEBSOCKET', '/v1/chat/completions')).toBe(false)
  })
})
