import { isIP } from 'node:net'

/**
 * What the `Host` of a request is to this gateway. `own`: localhost or an IP address, which nobody can make lead
 * elsewhere first. `listed`: a name its owner gave. `container`: this machine as its containers know it. `foreign`: any
 * other. `none`: the request has none, which no browser sends.
 */
export type HostName = 'own' | 'listed' | 'container' | 'foreign' | 'none'

/**
 * How containers reach the programs of their machine. No registry gives `.internal` away, but whoever answers DNS in the
 * local network can: under these names the gateway serves the models and nothing else, as it does for web pages.
 */
const CONTAINER_NAMES: ReadonlySet<string> = new Set([
  'host.docker.internal',
  'gateway.docker.internal',
  'host.containers.internal',
])

/**
 * Tells what a `Host` header is to a gateway bound to `bindHost`, an address or a name. A page may make its own name lead
 * here (DNS rebinding) and is then of the same origin as the gateway to a browser, wherever the gateway listens.
 * @param allowed the setting `allowed-hosts`: names in lower case, `*.suffix` for all below one
 */
export function hostNameOf(header: string | undefined, bindHost: string, allowed: readonly string[]): HostName {
  if (header === undefined) return 'none'
  const name = bareName(header)
  if (isIP(name) !== 0) return 'own'
  if (!/^[a-z0-9._-]+$/.test(name)) return 'foreign'
  if (name === 'localhost' || name.endsWith('.localhost')) return 'own'
  if (name === bareName(bindHost) || allowed.some((pattern) => covers(pattern, name))) return 'listed'
  return CONTAINER_NAMES.has(name) ? 'container' : 'foreign'
}

/** Without port, brackets and the dot of the root, in lower case. */
function bareName(host: string): string {
  const name = host.replace(/:\d{0,5}$/, '').toLowerCase()
  if (name.startsWith('[') && name.endsWith(']')) return name.slice(1, -1)
  return name.endsWith('.') ? name.slice(0, -1) : name
}

const covers = (pattern: string, name: string): boolean =>
  pattern.startsWith('*.') ? name.length > pattern.length - 1 && name.endsWith(pattern.slice(1)) : name === pattern
