import { BlockList, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { systemClock, type Clock } from '../../base/clock.js'

/** Interfaces change rarely; asking the system for each dial would not be free. */
const REFRESH_MS = 30_000

/** Whether an address lies in a network that one of this machine's interfaces is part of. */
export function createNearNetworks(clock: Clock = systemClock): (host: string) => boolean {
  let networks = new BlockList()
  let readAtMs = Number.NEGATIVE_INFINITY
  return (host) => {
    const family = isIP(host)
    if (family === 0) return false
    if (clock.now() - readAtMs > REFRESH_MS) {
      networks = readNetworks()
      readAtMs = clock.now()
    }
    return networks.check(host, family === 4 ? 'ipv4' : 'ipv6')
  }
}

function readNetworks(): BlockList {
  const networks = new BlockList()
  for (const { address, cidr, family } of Object.values(networkInterfaces()).flatMap((list) => list ?? [])) {
    const bits = Number(cidr?.split('/')[1])
    if (Number.isInteger(bits)) networks.addSubnet(address, bits, family === 'IPv4' ? 'ipv4' : 'ipv6')
  }
  return networks
}
