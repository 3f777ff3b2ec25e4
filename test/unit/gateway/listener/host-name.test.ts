import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hostNameOf } from '../../../../src-main/gateway/listener/host-name.js'

const BINDS = ['127.0.0.1', '::1', 'localhost', '0.0.0.0', '::', '192.168.1.4', 'box.lan']

describe.each(BINDS)('a gateway bound to %s', (bind) => {
  test.each([
    'localhost',
    'localhost:8092',
    'localhost:',
    'LOCALHOST.',
    'localhost.:8092',
    '127.0.0.1:8092',
    '127.0.0.1.',
    '[::1]:8092',
    '[FE80::1]',
    '192.168.1.4',
    'a.localhost:1',
  ])('is at home under %s', (host) => expect(hostNameOf(host, bind, [])).toBe('own'))

  test.each([
    'evil.example',
    'evil.example:8092',
    '127.0.0.1.evil.example',
    'localhost.evil.example',
    'notlocalhost',
    'localhost..',
    'box',
    'ocf',
    '',
    'localhost@evil.example',
    '127.0.0.1:8092@evil.example',
    'evil.example@x.localhost',
    'evil.example#.localhost',
    '0x7f.1',
    '2130706433',
  ])('does not know the name %j', (host) => expect(hostNameOf(host, bind, [])).toBe('foreign'))

  test('knows a request without a Host from one with a wrong one', () => {
    expect(hostNameOf(undefined, bind, [])).toBe('none')
  })

  test.each(['host.docker.internal:8092', 'gateway.docker.internal', 'Host.Containers.Internal.'])(
    'knows %s as a name that only its containers should use',
    (host) => expect(hostNameOf(host, bind, [])).toBe('container'),
  )

  test('answers under the names it was given, without regard to case, port and trailing dot', () => {
    const allowed = ['node.example.org', '*.ts.net', 'host.docker.internal']
    for (const host of [
      'node.example.org',
      'NODE.example.org.:443',
      'a.ts.net',
      'a.b.ts.net:1',
      'host.docker.internal',
    ]) {
      expect(hostNameOf(host, bind, allowed), host).toBe('listed')
    }
    for (const host of [
      'x.node.example.org',
      'example.org',
      'ts.net',
      '.ts.net',
      'evilts.net',
      'a.ts.net.evil.example',
    ]) {
      expect(hostNameOf(host, bind, allowed), host).toBe('foreign')
    }
  })
})

test('the name a gateway is bound to is one of its names', () => {
  expect(hostNameOf('Box.lan:8092', 'box.lan', [])).toBe('listed')
  expect(hostNameOf('box.lan', '0.0.0.0', [])).toBe('foreign')
})

test('no name of another domain is taken for a gateway’s own', () => {
  fc.assert(
    fc.property(fc.domain(), fc.option(fc.nat(65_535)), fc.constantFrom(...BINDS), (domain, port, bind) => {
      const host = port === null ? domain : `${domain}:${port}`
      expect(hostNameOf(host, bind, ['*.mine.example'])).toBe('foreign')
    }),
  )
})
