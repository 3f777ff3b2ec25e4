import type { ComponentLogger, Logger as Libp2pComponentLog } from '@libp2p/interface'
import type { LineLevel, Log } from './index.js'

const MAX_LINE = 2000

/**
 * libp2p's own log lines in ours: `log()` → debug, `log.trace` → trace, `log.error` → `errorsAs` (error by default).
 * Arguments are only looked at while their level is logged: libp2p logs on every stream and packet.
 */
export function libp2pLogger(log: Log, options: { errorsAs?: LineLevel } = {}): ComponentLogger {
  return { forComponent: (name) => componentLog(log, name, options.errorsAs ?? 'error') }
}

function componentLog(root: Log, name: string, errorsAs: LineLevel): Libp2pComponentLog {
  const log = root.forComponent(name)
  const isOn = (level: LineLevel): boolean => log.isEnabled?.(level) ?? true
  const at =
    (level: LineLevel) =>
    (formatter: unknown, ...args: unknown[]): void => {
      if (isOn(level)) log[level](formatLine(formatter, args))
    }
  const component = Object.assign(at('debug'), {
    enabled: false,
    trace: at('trace'),
    error: at(errorsAs),
    newScope: (scope: string) => componentLog(root, `${name}:${scope}`, errorsAs),
  })
  // The level can change while the node runs, so it is asked for each time.
  return Object.defineProperty(component, 'enabled', { get: () => isOn('debug') })
}

/** libp2p's printf: `%p` peer id, `%a` multiaddr, `%c` CID, `%k` key, `%b %t %m` bytes, `%e` error, and the usual ones. */
export function formatLine(formatter: unknown, args: readonly unknown[]): string {
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
