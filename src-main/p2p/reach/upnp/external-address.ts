import { BlockList, isIPv4 } from 'node:net'
import { scopeOf } from '../../dial/ip-scope.js'
import type { GatewayProblem } from './gateway-fault.js'

/** Blocks no router has on its outer side: documentation, tests, multicast, reserved, unset. */
const NOBODYS = new BlockList()
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const) {
  NOBODYS.addSubnet(net, bits, 'ipv4')
}

/** What is wrong with an external address a router tells; undefined when it may be true. */
export function externalAddressProblem(ip: string): GatewayProblem | undefined {
  if (ip === '' || ip === '0.0.0.0') return bad('it has no external address: it is not connected to the internet')
  if (!isIPv4(ip)) return bad(`its external address ${JSON.stringify(ip.slice(0, 60))} is none`)
  if (NOBODYS.check(ip, 'ipv4')) return bad(`its external address ${ip} cannot be one`)
  if (scopeOf(ip) === 'public') return undefined
  return {
    kind: 'private-address',
    text: `its external address ${ip} is private: there is another router in front of it`,
  }
}

const bad = (text: string): GatewayProblem => ({ kind: 'bad-address', text })
