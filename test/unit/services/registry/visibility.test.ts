import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { VISIBILITIES, type Visibility } from '#shared/contract/sharing/visibility.js'
import type { LocalModel, LocalService } from '../../../../src-main/services/index.js'
import { toServiceRecords } from '../../../../src-main/services/registry/announcer.js'
import {
  IDENTITY_GROUP_BUDGET_BYTES,
  publishModels,
  sizeOf,
} from '../../../../src-main/services/registry/published-models.js'
import { isOpenTo, seenBy, visibilityOf } from '../../../../src-main/services/registry/visibility.js'

const model = (id: string): LocalModel => ({ id, ownedBy: undefined, created: undefined, contextLength: undefined })

function service(said: Record<string, Visibility>, changes: Partial<LocalService> = {}): LocalService {
  const ids = Object.keys(said)
  return {
    id: 'llm@127.0.0.1:1',
    name: 'llm',
    host: '127.0.0.1',
    port: 1,
    status: 'connected',
    identityGroups: [...ids.map((id) => `model=${id}`), 'api=ollama'],
    published: true,
    visibility: 'me',
    visibilities: new Map(Object.entries(said)),
    sharedPaths: [],
    serverModelIds: new Map(),
    models: ids.map(model),
    problem: undefined,
    ...changes,
  }
}

describe('a service as peers see it', () => {
  const MIXED = service({ a: 'everyone', b: 'trusted', c: 'me' })

  test('has for strangers what everyone may use, and for trusted peers also what is for them', () => {
    expect(seenBy(MIXED, 'stranger')?.identityGroups).toEqual(['model=a', 'api=ollama'])
    expect(seenBy(MIXED, 'stranger')?.models.map(({ id }) => id)).toEqual(['a'])
    expect(seenBy(MIXED, 'trusted')?.identityGroups).toEqual(['model=a', 'model=b', 'api=ollama'])
    expect(seenBy(MIXED, 'trusted')?.models.map(({ id }) => id)).toEqual(['a', 'b'])
  })

  test('demands that each request names a model wherever one is not for all of them', () => {
    expect(seenBy(MIXED, 'stranger')?.onlyTicked).toBe(true)
    expect(seenBy(service({ a: 'everyone' }, { visibility: 'everyone' }), 'stranger')?.onlyTicked).toBeUndefined()
  })

  test('is not there for those who may use nothing of it', () => {
    expect(seenBy(service({ a: 'me' }), 'trusted')).toBeUndefined()
    expect(seenBy(service({ a: 'trusted' }), 'stranger')).toBeUndefined()
    expect(seenBy(service({}), 'stranger')).toBeUndefined()
  })

  test('keeps entries for any model from those for whom the whole is not', () => {
    const wild = service({ a: 'everyone' }, { identityGroups: ['model=a', 'model=*', 'all', 'lang=en'] })
    expect(seenBy(wild, 'stranger')?.identityGroups).toEqual(['model=a'])
  })

  test('with a name of its own is open or closed as a whole', () => {
    const generic = service({}, { name: 'transcriber', identityGroups: ['lang=en'], visibility: 'trusted' })
    expect(seenBy(generic, 'trusted')?.identityGroups).toEqual(['lang=en'])
    expect(seenBy(generic, 'stranger')).toBeUndefined()
  })

  test('never names what is not for that class, whatever was said of which model', () => {
    const name = fc.stringMatching(/^[a-z0-9/:.-]{1,12}$/)
    const said = fc.dictionary(name, fc.constantFrom(...VISIBILITIES), { maxKeys: 8 })
    fc.assert(
      fc.property(said, fc.constantFrom(...VISIBILITIES), (models, visibility) => {
        for (const peers of ['stranger', 'trusted'] as const) {
          const whole = service(models, { visibility })
          const hidden = Object.keys(models).filter((id) => !isOpenTo(visibilityOf(whole, id), peers))
          const seen = seenBy(whole, peers)
          const told = JSON.stringify([seen?.identityGroups, seen?.models])
          for (const id of hidden) expect(told).not.toContain(JSON.stringify(`model=${id}`))
          const row = toServiceRecords(seen === undefined ? [] : [seen], {
            gpus: [],
            host_memory: 0,
            host_memory_bandwidth: 0,
            host_memory_used: 0,
          })
          expect(row.records.flatMap(({ identity_group: entries }) => entries)).toEqual(seen?.identityGroups ?? [])
        }
      }),
    )
  })
})

describe('what a server lists', () => {
  const publish = (ids: string[], visibilities: Record<string, Visibility>, usual: Visibility = 'me') =>
    publishModels(ids.map(model), {
      ...{ models: 'all', aliases: new Map(), identityGroups: [] },
      visibility: usual,
      visibilities: new Map(Object.entries(visibilities)),
    })

  test('has the visibility of its model under every name, a path’s as its file name', () => {
    const { visibilities } = publishModels([model('/home/anna/a.gguf')], {
      ...{ models: 'all', identityGroups: [], aliases: new Map([['small', '/home/anna/a.gguf']]) },
      visibilities: new Map([['/home/anna/a.gguf', 'trusted']]),
    })
    expect([...visibilities]).toEqual([
      ['a.gguf', 'trusted'],
      ['small', 'trusted'],
    ])
  })

  test('of two paths with one name the one that is published counts, and of two that are gone the narrower', () => {
    const said: Record<string, Visibility> = { '/x/a.gguf': 'everyone', '/y/a.gguf': 'me' }
    expect(publish(['/x/a.gguf', '/y/a.gguf'], said).visibilities.get('a.gguf')).toBe('everyone')
    expect(publish([], said).visibilities.get('a.gguf')).toBe('me')
  })

  test('for this machine alone takes no room of what is told to others', () => {
    const mine = Array.from({ length: 300 }, (_, index) => `a-model-of-my-own-with-a-long-name-${index}`)
    const { identityGroups, leftOut } = publish([...mine, 'open'], { open: 'everyone' })
    expect(leftOut).toEqual([])
    expect(identityGroups).toHaveLength(301)
    const open = publish(mine, {}, 'everyone')
    expect(sizeOf(open.identityGroups)).toBeLessThanOrEqual(IDENTITY_GROUP_BUDGET_BYTES)
    expect(open.leftOut.length).toBeGreaterThan(0)
  })
})
