import { expect, test } from 'vitest'
import { externalAddressProblem } from '../../../../src-main/p2p/reach/port-mapping.js'

test.each(['192.168.0.7', '10.0.0.1', '100.64.3.4', '127.0.0.1', 'fd00::1'])(
  'a router that tells the private external address %s is found out',
  (ip) => expect(externalAddressProblem(ip)).toContain(ip),
)

test('a public external address may be true, and what is no address is told as such', () => {
  expect(externalAddressProblem('5.6.7.8')).toBeUndefined()
  expect(externalAddressProblem('2a00:1::1')).toBeUndefined()
  expect(externalAddressProblem('<html>')).toContain('is none')
})
