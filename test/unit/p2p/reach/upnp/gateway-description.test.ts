import { expect, test } from 'vitest'
import { wanServices } from '../../../../../src-main/p2p/reach/upnp/gateway-description.js'

const LOCATION = new URL('http://192.168.1.1:5000/desc/root.xml')
const service = (type: string, controlUrl: string): string =>
  `<service><serviceType>urn:schemas-upnp-org:service:${type}</serviceType><controlURL>${controlUrl}</controlURL></service>`
const description = (inner: string, base = ''): string =>
  `<root>${base}<device><serviceList>${inner}</serviceList></device></root>`
const urls = (xml: string): string[] => wanServices(xml, LOCATION).map(({ controlUrl }) => controlUrl.href)

test('the newest service comes first, and dial-up last', () => {
  const inner = [
    service('WANPPPConnection:1', '/ppp'),
    service('Layer3Forwarding:1', '/l3'),
    service('WANIPConnection:1', '/ip1'),
    service('WANIPConnection:2', '/ip2'),
  ].join('')
  expect(urls(description(inner)).map((url) => new URL(url).pathname)).toEqual(['/ip2', '/ip1', '/ppp'])
})

test('a URL may be whole, absolute or relative, and relative to a base', () => {
  const at = (url: string, base?: string): string[] => urls(description(service('WANIPConnection:1', url), base))
  expect(at('http://192.168.1.1:49000/upnp')).toEqual(['http://192.168.1.1:49000/upnp'])
  expect(at('/upnp?a=1&amp;b=2')).toEqual(['http://192.168.1.1:5000/upnp?a=1&b=2'])
  expect(at('control')).toEqual(['http://192.168.1.1:5000/desc/control'])
  expect(at('control', '<URLBase>http://192.168.1.1:80/x/</URLBase>')).toEqual(['http://192.168.1.1/x/control'])
  expect(at('control', '<URLBase>http://5.0.0.10/</URLBase>')).toEqual(['http://192.168.1.1:5000/desc/control'])
})

test('elements may have a namespace, attributes and any case', () => {
  const inner =
    '<u:service><u:serviceType a="b"> urn:schemas-upnp-org:service:WANIPConnection:1 </u:serviceType><u:controlUrl>/c</u:controlUrl></u:service>'
  expect(urls(description(inner))).toEqual(['http://192.168.1.1:5000/c'])
})

test.each(['http://5.0.0.10/', '//5.0.0.10/x', 'http://192.168.1.9/', 'http://127.0.0.1:43904/'])(
  'a control URL on another host, %s, is not called',
  (url) => {
    expect(() => urls(description(service('WANIPConnection:1', url)))).toThrow('its description points to another host')
  },
)

test('a description without such a service, and none at all, are told apart', () => {
  expect(() => urls(description(service('Layer3Forwarding:1', '/l3')))).toThrow('has no service that opens ports')
  expect(() => urls('<html><body>hello</body></html>')).toThrow('is none')
  expect(() => urls('')).toThrow('is none')
})

test.each(['<service>', '<serviceType ', '<a:', '<service><serviceType>', '<', ':'])(
  'a page full of "%s" is read in one go',
  (piece) => expect(() => urls(piece.repeat((64 * 1024) / piece.length))).toThrow('is none'),
)
