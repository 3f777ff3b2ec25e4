import { isIP } from 'node:net'

/** Names by which programs on this machine (and in its containers) reach a loopback gateway. */
const LOCAL_NAMES = new Set([
  'localhost',
  'host.docker.internal',
  'gateway.docker.internal',
  'host.containers.internal',
])

/**
 * False for a `Host` that a web page could have made point here (DNS rebinding). IP addresses can't be rebound; a
 * gateway bound to more than loopback is reached under names only its owner knows, so there any is fine.
 */
export function isHostAllowed(hostHeader: string | undefined, bindHost: string): boolean {
  if (hostHeader === undefined) return false
  const name = hostHeader.replace(/:\d{1,5}$/, '').toLowerCase()
  const bare = name.startsWith('[') && name.endsWith(']') ? name.slice(1, -1) : name
  if (isIP(bare) !== 0 || LOCAL_NAMES.has(bare) || bare.endsWith('.localhost')) return true
  return !(bindHost === 'localhost' || bindHost.startsWith('127.') || bindHost === '::1') || bare === bindHost
}

/** {@link isHostAllowed} for one bind address; the name that was asked last, which nearly every request has, is remembered. */
export function createHostCheck(bindHost: string): (hostHeader: string | undefined) => boolean {
  let last: string | undefined
  let lastAllowed = false
  return (hostHeader) => {
    if (hostHeader !== undefined && hostHeader === last) return lastAllowed
    lastAllowed = isHostAllowed(hostHeader, bindHost)
    last = hostHeader
    return lastAllowed
  }
}

/** Node keeps the first `Host` and drops the rest; who stands before or behind us may take another. */
export function hasSeveralHosts(rawHeaders: readonly string[]): boolean {
  let seen = false
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]
    if (name?.length !== 4 || name.toLowerCase() !== 'host') continue
    if (seen) return true
    seen = true
  }
  return false
}
