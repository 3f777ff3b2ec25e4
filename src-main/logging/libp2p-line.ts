const MAX_LINE = 2000

/** libp2p's printf: `%p` peer id, `%a` multiaddr, `%c` CID, `%k` key, `%b %t %m` bytes, `%e` error, and the usual ones. */
export function formatLibp2pLine(formatter: unknown, args: readonly unknown[]): string {
  if (typeof formatter !== 'string') return [formatter, ...args].map(shown).join(' ').slice(0, MAX_LINE)
  let used = 0
  const text = formatter.replaceAll(/%([a-zA-Z%])/g, (whole, letter: string) => {
    if (letter === '%') return '%'
    if (used >= args.length) return whole
    const value = args[used]
    used += 1
    return letter === 'd' || letter === 'i' ? String(Number(value)) : shown(value)
  })
  return [text, ...args.slice(used).map(shown)].join(' ').slice(0, MAX_LINE)
}

function shown(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Error) return value.message === '' ? value.name : value.message
  if (value instanceof Uint8Array) return Buffer.from(value.subarray(0, 32)).toString('hex')
  if (typeof value !== 'object' || value === null) return String(value)
  const own = (value as { toString?: unknown }).toString
  if (typeof own === 'function' && own !== Object.prototype.toString && !Array.isArray(value))
    return String(own.call(value))
  return jsonOf(value)
}

function jsonOf(value: object): string {
  try {
    return JSON.stringify(value, (_key, entry: unknown) => (typeof entry === 'bigint' ? entry.toString() : entry))
  } catch {
    return '[circular]' // Only JSON.stringify itself can throw here, and only for cycles.
  }
}
