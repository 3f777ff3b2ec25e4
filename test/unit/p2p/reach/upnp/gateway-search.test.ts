import { expect, test } from 'vitest'
import { readAnswer } from '../../../../../src-main/p2p/reach/upnp/gateway-search.js'

const LAN = { address: '192.168.1.2', cidr: '192.168.1.2/24' }
const ROUTER = { address: '192.168.1.1' }
const ST = 'urn:schemas-upnp-org:device:InternetGatewayDevice:1'
const packet = (location: string, st = ST, status = 'HTTP/1.1 200 OK'): Buffer =>
  Buffer.from([status, 'Cache-Control: max-age=120', `st: ${st}`, `Location: ${location}`, '', ''].join('\r\n'))
const answer = (location: string, sender = ROUTER) => readAnswer(packet(location), sender, LAN)

test('a router that describes itself on its own address is looked at', () => {
  const sighting = answer('http://192.168.1.1:5000/rootDesc.xml')
  expect(sighting).toMatchObject({ host: '192.168.1.1', localAddress: '192.168.1.2' })
  expect(sighting?.found).toEqual({ location: new URL('http://192.168.1.1:5000/rootDesc.xml') })
})

test.each([
  'http://5.0.0.10/description.xml',
  'http://192.168.1.9/description.xml',
  'http://127.0.0.1:9000/',
  'http://router.example/description.xml',
  'https://192.168.1.1/description.xml',
  'file:///etc/passwd',
])('%s is not looked at, and said to lie elsewhere', (location) => {
  expect(answer(location)?.found).toMatchObject({ problem: { kind: 'bad-answer' } })
})

test('a place that is none is said to be none', () => {
  expect(answer('')?.found).toMatchObject({ problem: { text: 'it does not say where it describes itself' } })
})

test('what comes from outside the network, or was not asked for, is no answer', () => {
  expect(answer('http://5.0.0.10/', { address: '5.0.0.10' })).toBeUndefined()
  const here = 'http://192.168.1.1/'
  expect(readAnswer(packet(here, 'urn:schemas-upnp-org:device:MediaServer:1'), ROUTER, LAN)).toBeUndefined()
  for (const status of ['BYE * HTTP/1.1', 'NOTIFY * HTTP/1.1', 'HTTP/1.1 404 Not Found', ''])
    expect(readAnswer(packet(here, ST, status), ROUTER, LAN)).toBeUndefined()
  expect(readAnswer(Buffer.alloc(0), ROUTER, LAN)).toBeUndefined()
  expect(readAnswer(Buffer.alloc(60_000, 'HTTP/1.1 200 OK\r\n'), ROUTER, LAN)).toBeUndefined()
})
