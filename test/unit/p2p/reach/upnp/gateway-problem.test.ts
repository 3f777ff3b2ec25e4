import { expect, test } from 'vitest'
import { externalAddressProblem } from '../../../../../src-main/p2p/reach/upnp/gateway-problem.js'

test.each(['192.168.0.7', '10.0.0.1', '100.64.3.4', '172.16.9.9'])(
  'a router that tells the private external address %s is found out',
  (ip) =>
    expect(externalAddressProblem(ip)).toMatchObject({ kind: 'private-address', text: expect.stringContaining(ip) }),
)

test('a public external address may be true', () => {
  expect(externalAddressProblem('5.6.7.8')).toBeUndefined()
  expect(externalAddressProblem('100.128.0.1')).toBeUndefined()
})

test.each(['<html>', '1.2.3', '999.1.1.1', '2a00:1::1', '224.0.0.1', '255.255.255.255', '198.51.100.7', '0.1.2.3'])(
  '%s is told to be none',
  (ip) => expect(externalAddressProblem(ip)).toMatchObject({ kind: 'bad-address' }),
)

test('a router without a line to the internet is told as such', () => {
  for (const ip of ['', '0.0.0.0']) expect(externalAddressProblem(ip)?.text).toContain('not connected')
})
