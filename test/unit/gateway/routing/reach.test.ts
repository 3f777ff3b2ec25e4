import { describe, expect, test } from 'vitest'
import { createRequestReach, type Reach, type UseSettings } from '../../../../src-main/gateway/routing/reach.js'
import type { LocalService } from '../../../../src-main/services/index.js'

const FRIEND = 'friend'
const OWN = 'model=mine'
const OTHER = 'model=theirs'

function reachWith(settings: Partial<UseSettings>, status = 'connected') {
  const services = [{ name: 'llm', identityGroups: [OWN], status }] as unknown as LocalService[]
  return createRequestReach({
    registry: { list: () => services },
    models: { imitatedBy: (id) => (id === 'MINE' ? 'mine' : undefined) },
    settings: { 'use.reach': 'anyone', 'use.overflow': [], ...settings },
    isTrusted: (peerId) => peerId === FRIEND,
  })
}

describe('how far a request goes', () => {
  const REACHES: Reach[] = ['own', 'trusted', 'anyone']

  test.each(REACHES.flatMap((setting) => [undefined, ...REACHES].map((header) => ({ setting, header }))))(
    'setting $setting and header $header: the narrower of the two',
    ({ setting, header }) => {
      const reach = reachWith({ 'use.reach': setting })
      const expected = REACHES[Math.min(REACHES.indexOf(setting), REACHES.indexOf(header ?? 'anyone'))]
      expect(reach.of('llm', [OTHER], header)).toBe(expected)
    },
  )

  test.each(['connected', 'disconnected', 'waiting'])(
    'a model of this machine never goes to a stranger while its server is %s',
    (status) => {
      for (const header of [undefined, 'anyone', 'trusted']) {
        expect(reachWith({}, status).of('llm', [OWN], header)).toBe('trusted')
      }
      expect(reachWith({}, status).of('llm', [OWN], 'own')).toBe('own')
    },
  )

  test('a name that only looks like a known one never goes to a stranger, whatever may overflow', () => {
    for (const overflow of [[], ['*'], ['MINE']]) {
      expect(reachWith({ 'use.overflow': overflow }).of('llm', ['model=MINE'], undefined)).toBe('trusted')
    }
    expect(reachWith({}).of('llm', ['model=MINE'], 'own')).toBe('own')
    expect(reachWith({}).of('echo', ['model=MINE'], undefined)).toBe('anyone')
  })

  test('a model of this machine goes to strangers where its overflow is allowed, by name or for all', () => {
    expect(reachWith({ 'use.overflow': ['mine'] }).of('llm', [OWN], undefined)).toBe('anyone')
    expect(reachWith({ 'use.overflow': ['*'] }).of('llm', [OWN], undefined)).toBe('anyone')
    expect(reachWith({ 'use.overflow': ['theirs'] }).of('llm', [OWN], undefined)).toBe('trusted')
  })

  test('a header that is none of the three is refused, not ignored', () => {
    for (const header of ['', 'everyone', 'own,anyone']) {
      expect(() => reachWith({}).of('llm', [OTHER], header)).toThrow(
        expect.objectContaining({ code: 'invalid_request' }) as Error,
      )
    }
  })
})

test('who is within a reach', () => {
  const reach = reachWith({})
  expect(['own', 'trusted', 'anyone'].map((name) => reach.includes(name as Reach, FRIEND))).toEqual([false, true, true])
  expect(['own', 'trusted', 'anyone'].map((name) => reach.includes(name as Reach, 'x'))).toEqual([false, false, true])
})
