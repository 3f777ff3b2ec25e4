import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hasPrivateIds, hiddenNames, privateNamesOf } from '../../../../src-main/gateway/body/private-names.js'
import { publicIdOf } from '../../../../src-main/services/index.js'
import { spelled, understood, URL_SPELLINGS } from '../../../fixtures/spellings.js'

const NOBODY = { home: undefined, user: undefined }
const folders = (ids: string[], owner: Parameters<typeof hiddenNames>[1] = NOBODY): string[] =>
  hiddenNames(ids, owner)
    .filter(({ shown }) => shown === '…')
    .map(({ name }) => name)

describe('the private names of a server', () => {
  test('ids that are paths are hidden behind the name the network knows', () => {
    const names = hiddenNames(['/srv/models/a.gguf', 'org/model', 'llama3.2:latest', 'file:///srv/b%20c.gguf'], NOBODY)
    expect(names.filter(({ shown }) => shown !== '…')).toEqual([
      { name: '/srv/models/a.gguf', shown: 'a.gguf' },
      { name: 'file:///srv/b%20c.gguf', shown: 'b c.gguf' },
      { name: '///srv/b c.gguf', shown: 'b c.gguf' },
    ])
  })

  test('folders are hidden from the first that not every machine has', () => {
    expect(folders(['/home/jörg/models/x.gguf'])).toEqual([
      '/home/jörg',
      '/home/jörg/models',
      '/Users/jörg',
      '/Documents and Settings/jörg',
    ])
    expect(folders(['C:\\Users\\Jörg\\x.gguf'])).toContain('C:\\Users/Jörg')
    expect(folders(['/usr/local/share/models/x.gguf', '/models/x.gguf', '/data/x.gguf'])).toEqual([])
    expect(folders(['/srv/llm/x.gguf'])).toEqual(['/srv/llm'])
    expect(folders(['/v2/x.gguf', '/secret/x.gguf', 'D:\\ai\\x.gguf'])).toEqual(['/secret', 'D:\\ai'])
    expect(folders(['org/model/x.gguf', './models/mine/x.gguf', '../../etc/x'])).toEqual([])
  })

  test('the home of the owner is hidden where no id is a path', () => {
    expect(folders(['llama3.2'], { home: '/home/anna', user: 'anna' })).toContain('/home/anna')
    expect(folders([], { home: 'C:\\Users\\Anna', user: 'anna' })).toContain('C:\\Users/Anna')
    expect(folders([], { home: '/var/lib/ocf', user: 'ocf' })).toContain('/var/lib/ocf')
  })

  test('a home that tells nothing stays what it is', () => {
    expect(folders([], { home: '/root', user: 'root' })).toEqual([])
    expect(folders([], { home: '/home/user', user: 'user' })).toEqual([])
    expect(folders([], { home: '/', user: undefined })).toEqual([])
  })

  test('are made once for each list of models', () => {
    const service = { name: 'llm', serverModelIds: new Map([['x.gguf', '/srv/llm/x.gguf']]) }
    expect(privateNamesOf(service)).toBe(privateNamesOf({ ...service }))
    expect(hasPrivateIds(service)).toBe(true)
    expect(hasPrivateIds({ serverModelIds: new Map([['alias', 'org/model']]) })).toBe(false)
  })

  test('another service without such ids has none', () => {
    expect(privateNamesOf({ name: 'files', serverModelIds: new Map() }).isEmpty).toBe(true)
  })
})

test('a published id never tells the folder of a person, however the server spells it', () => {
  const path = fc.constantFrom('/home/jörg/models/x.gguf', 'C:\\Users\\Jörg\\x', '/Users/jörg/y', 'file:///home/jörg/x')
  const spelling = path.chain((text) =>
    fc.constantFrom(text, text.normalize('NFD'), encodeURIComponent(text), encodeURI(text)),
  )
  fc.assert(
    fc.property(
      fc.oneof(
        spelling,
        path.chain((text) => spelled(text, URL_SPELLINGS)),
      ),
      (id) => {
        for (const text of understood(Buffer.from(publicIdOf(id)))) expect(text).not.toMatch(/j(?:ö|o\u0308)rg/)
      },
    ),
    { numRuns: Number(process.env['FUZZ_RUNS'] ?? 1_000) },
  )
})
