import { BlockList, isIP } from 'node:net'

const LOOPBACK = new BlockList()
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4')
LOOPBACK.addAddress('::1', 'ipv6')

/** IPv4 first. */
export const LOOPBACK_HOSTS: readonly [string, string] = ['127.0.0.1', '::1']

/** `host` without the brackets an IPv6 address may stand in, in lower case. */
export function bareHost(host: string): string {
  return host.replace(/^\[(.*)\]$/, '$1').toLowerCase()
}

/** Whether a service's host is this machine. A name other than `localhost` could become any address, so it is not. */
export function isLoopbackHost(host: string): boolean {
  // Nearly every call, and each request makes one.
  if (host === LOOPBACK_HOSTS[0] || host === 'localhost') return true
  const bare = bareHost(host)
  const family = isIP(bare)
  return family === 0 ? bare === 'localhost' : LOOPBACK.check(bare, family === 4 ? 'ipv4' : 'ipv6')
}

/**
 * Where to look for a server of `host`, in order. One that was on a loopback address may be back on the other: which of
 * them `localhost` is depends on the program and on how it was started.
 */
export function hostsToTry(host: string): readonly string[] {
  const bare = bareHost(host)
  const [ipv4, ipv6] = LOOPBACK_HOSTS
  if (bare === ipv6) return [ipv6, ipv4]
  return bare === ipv4 || bare === 'localhost' ? LOOPBACK_HOSTS : [bare]
}

/** Whether `host` is an address or a host name and nothing more (no user, port or path hidden in it). */
export function isHost(host: string): boolean {
  const bare = bareHost(host)
  return (
    isIP(bare) !== 0 ||
    /^(?=.{1,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*$/.test(bare)
  )
}

/** `http://host:port`, an IPv6 host in brackets. */
export function originOf(target: { host: string; port: number }): string {
  return `http://${authorityOf(target)}`
}

/** `host:port`, an IPv6 host in brackets. */
export function authorityOf(target: { host: string; port: number }): string {
  // Only IPv6 addresses have colons; each request asks this.
  if (!target.host.includes(':')) return `${target.host.toLowerCase()}:${target.port}`
  const bare = bareHost(target.host)
  return `${isIP(bare) === 6 ? `[${bare}]` : bare}:${target.port}`
}
