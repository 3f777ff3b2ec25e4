import fc from 'fast-check'
import { expect, test } from 'vitest'
import { recognise } from '../../../src-main/joining/recognise.js'

const PEER = '12D3KooWEzksHRbD1rRhLWC7v7DZrYEQp9S24jvdLTgomDYpLAjD'
const LIST = '/v1/dnt/bootstraps'
const isNetwork = (name: string): boolean => name.toLowerCase() === 'opentela'
const of = (text: string) => recognise(text, isNetwork)

test.each([
  ['ocf1AAAAAAAA', 'invite'],
  ['  Join me: ocf1AAAA\n> BBBB', 'invite'],
  ['ocf://join/ocf1AAAA', 'invite'],
  ['ocf-net1AAAA', 'network-key'],
  ['OpenTela', 'network'],
  ['/ip4/203.0.113.7/tcp/43905', 'address'],
  ['dnsaddr://example.org', 'address'],
  ['https://example.org/list', 'address'],
  ['example.org', 'address'],
  ['nas', 'address'],
  ['two words', 'unknown'],
  ['', 'unknown'],
  [PEER, 'unknown'],
  ['300.1.2.3', 'unknown'],
  ['host:0', 'unknown'],
  ['host:70000', 'unknown'],
  ['[::1', 'unknown'],
  ['<img src=x>', 'unknown'],
  ['ftp://example.org', 'unknown'],
])('what is to be joined is recognised: %s is %s', (text, kind) => {
  expect(of(text).kind).toBe(kind)
})

test.each([
  ['http://10.0.0.5:8092', [`http://10.0.0.5:8092${LIST}`]],
  ['http://10.0.0.5:8092/v1/', [`http://10.0.0.5:8092${LIST}`]],
  [`http://10.0.0.5:8092${LIST}`, [`http://10.0.0.5:8092${LIST}`]],
  ['https://example.org/list', ['https://example.org/list']],
  ['10.0.0.5', ['/ip4/10.0.0.5/tcp/43905', `http://10.0.0.5:8092${LIST}`]],
  ['fd00::7', ['/ip6/fd00::7/tcp/43905', `http://[fd00::7]:8092${LIST}`]],
  ['[fd00::7]:4001', ['/ip6/fd00::7/tcp/4001', `http://[fd00::7]:4001${LIST}`, '/ip6/fd00::7/tcp/4001/ws']],
  ['nas.local:8092', ['/dns/nas.local/tcp/8092', `http://nas.local:8092${LIST}`, '/dns/nas.local/tcp/8092/ws']],
])('an address stands for the sources that may be meant: %s', (text, tries) => {
  expect(of(text)).toMatchObject({ kind: 'address', tries })
})

test('a text that is nothing of all is answered with what could be joined', () => {
  expect(of('two words')).toMatchObject({ sentence: expect.stringContaining('It takes an invite (ocf1…)') as string })
  expect(of(PEER)).toMatchObject({ sentence: expect.stringContaining('This is a peer id') as string })
})

test('no text, however long or odd, keeps recognising from an answer', () => {
  const kinds = ['invite', 'network-key', 'network', 'address', 'unknown']
  fc.assert(fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), (text) => kinds.includes(of(text).kind)))
  const startedMs = performance.now()
  for (const long of ['a'.repeat(20_000), '.'.repeat(20_000), `${'a.'.repeat(10_000)}!`, '['.repeat(20_000)]) of(long)
  expect(performance.now() - startedMs).toBeLessThan(1_000)
})
