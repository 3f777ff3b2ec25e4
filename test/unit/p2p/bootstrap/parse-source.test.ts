import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  bootstrapSettings,
  dialableMultiaddr,
  parseBootstrapSettings,
  splitEntries,
} from '../../../../src-main/p2p/bootstrap/parse-source.js'

const PEER = '12D3KooWEzksHRbD1rRhLWC7v7DZrYEQp9S24jvdLTgomDYpLAjD'
const A = `/ip4/10.0.0.1/tcp/43905/p2p/${PEER}`
const B = '/dns/example.org/tcp/43905'
const parse = (...values: string[]) => parseBootstrapSettings([{ setting: 'bootstrap.addr', values }])
const forms = (...values: string[]) => parse(...values).sources.map((source) => [source.kind, source.text])

test('each form of a source is told apart', () => {
  const entries = [
    'http://127.0.0.1:8092/v1/dnt/bootstraps',
    'https://example.org/list',
    'dnsaddr://example.org',
    '/dnsaddr/example.org',
    A,
    B,
  ]
  expect(forms(...entries)).toEqual([
    ['http', entries[0]],
    ['http', entries[1]],
    ['dnsaddr', entries[2]],
    ['multiaddr', A],
    ['multiaddr', B],
  ])
})

test.each([
  ['comma', `${A},${B}`],
  ['semicolon and space', `${A}; ${B} ;`],
  ['white space', `\n${A}\t${B}\n`],
  ['JSON', JSON.stringify([A, B])],
  ['JSON with lists inside', JSON.stringify([`${A},${B}`])],
])('entries are separated by %s', (_name, value) => {
  expect(forms(value)).toEqual([
    ['multiaddr', A],
    ['multiaddr', B],
  ])
})

test('settings are asked in their order, and a duplicate counts where it came first', () => {
  const settings = {
    'bootstrap.addr': [A, '/ip4/10.0.0.5/tcp/5'],
    'bootstrap.addrs': ['/ip4/10.0.0.4/tcp/4'],
    'bootstrap.static': ['/ip4/10.0.0.3/tcp/3'],
    'bootstrap.source': [A],
    'bootstrap.sources': [B, B],
    'bootstrap.joined': ['/ip4/10.0.0.6/tcp/6'],
    network: 'none',
    'go-network': 'off' as const,
  }
  expect(
    parseBootstrapSettings(bootstrapSettings(settings)).sources.map(({ setting, text }) => [setting, text]),
  ).toEqual([
    ['bootstrap.sources', B],
    ['bootstrap.source', A],
    ['bootstrap.static', '/ip4/10.0.0.3/tcp/3'],
    ['bootstrap.addrs', '/ip4/10.0.0.4/tcp/4'],
    ['bootstrap.addr', '/ip4/10.0.0.5/tcp/5'],
    ['bootstrap.joined', '/ip4/10.0.0.6/tcp/6'],
  ])
})

test('a bad entry is told with its setting and does not hide the good ones', () => {
  const { sources, problems } = parse(`nonsense,${A},/ip4/300.1.1.1/tcp/1`, '[1, "', JSON.stringify([7, B]))
  expect(sources.map(({ text }) => text)).toEqual([A, B])
  expect(problems.map(({ setting, text }) => [setting, text])).toEqual([
    ['bootstrap.addr', 'nonsense'],
    ['bootstrap.addr', '/ip4/300.1.1.1/tcp/1'],
    ['bootstrap.addr', '[1'],
    ['bootstrap.addr', '"'],
    ['bootstrap.addr', '7'],
  ])
})

test.each([
  'ftp://example.org',
  'http://',
  '/ip4/10.0.0.1',
  '/tcp/1',
  `/p2p/${PEER}`,
  'example.org:43905',
  `/${'a'.repeat(3000)}`,
])('%s is not a source', (entry) => {
  const { sources, problems } = parse(entry)
  expect(sources).toEqual([])
  expect(problems).toHaveLength(1)
  expect(problems[0]!.text.length).toBeLessThanOrEqual(200)
})

test.each([
  ['/ip6zone/eth0/ip6/fe80::1/tcp/43905', 'zone'],
  ['/ip6/fe80::1%eth0/tcp/43905', 'Invalid IPv6'],
  ['/ip4/0.0.0.0/tcp/43905', "no one's address"],
  ['/ip6/::/tcp/43905', "no one's address"],
  ['/ip4/10.0.0.1/tcp/0', 'port 0'],
  ['/ip4/10.0.0.1/tcp/65536', '65535'],
  ['/ip4/10.0.0.1/tcp/-1', 'positive'],
  ['/ip4/10.0.0.1/tcp/99999999999999', '65535'],
  ['/ip4/10.0.0.1/tcp/1e3', 'integer'],
  ['/ip4/10.0.0.1/tcp/43905/p2p/12D3KooWNobody', 'can be dialled'],
  ['http://[fe80::1%25eth0]:8092/', 'not a URL'],
  ['http://10.0.0.1:70000/', 'not a URL'],
  ['http://10.0.0.1:0/', 'port 0'],
])('%s is refused, and told why', (entry, why) => {
  const { sources, problems } = parse(entry, A)
  expect(sources.map(({ text }) => text)).toEqual([A])
  expect(problems).toMatchObject([{ text: entry, reason: expect.stringContaining(why) as string }])
})

test('a bad entry is told once for each setting it stands in, however often it stands there', () => {
  const settings = ['bootstrap.sources', 'bootstrap.source', 'bootstrap.static', 'bootstrap.addrs', 'bootstrap.addr']
  const { sources, problems } = parseBootstrapSettings(
    settings.map((setting) => ({ setting, values: ['/ip4/nonsense', '/ip4/nonsense', A] })),
  )
  expect(problems.map(({ setting }) => setting)).toEqual(settings)
  expect(sources).toHaveLength(1)
})

test('no more than 256 sources count', () => {
  const many = Array.from({ length: 300 }, (_, index) => `/ip4/10.0.${index >> 8}.${index & 255}/tcp/1`)
  const { sources, problems } = parse(many.join(','))
  expect(sources).toHaveLength(256)
  expect(problems).toHaveLength(44)
})

test('no text makes it throw, and every address it takes is one', () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.json(), fc.constantFrom(A, B, '[', ',', 'dnsaddr://'))), (values) => {
      const { sources, problems } = parse(...values)
      const bad = sources.filter(
        (source) => source.kind === 'multiaddr' && dialableMultiaddr(source.address) === undefined,
      )
      expect(bad).toEqual([])
      expect(sources.length + problems.length).toBeLessThanOrEqual(values.flatMap(splitEntries).length)
    }),
  )
})
