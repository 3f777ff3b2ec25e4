const LOOPBACK = ['localhost', '127.0.0.1', '::1', '[::1]'] as const

/**
 * Keeps what goes to this machine from the proxies of the environment: with `NODE_USE_ENV_PROXY` Node's own WebSockets, by
 * which libp2p dials, ask them for every address that `NO_PROXY` does not name.
 */
export function keepLoopbackFromProxies(env: NodeJS.ProcessEnv): void {
  if (env['NODE_USE_ENV_PROXY'] === undefined) return
  // Undici reads the small one first, and a value that is there but empty counts.
  for (const name of ['no_proxy', 'NO_PROXY']) {
    const given = (env[name] ?? '').split(/[\s,]+/).filter((host) => host !== '')
    if (given.includes('*')) continue
    env[name] = [...given, ...LOOPBACK.filter((host) => !given.includes(host))].join(',')
  }
}
