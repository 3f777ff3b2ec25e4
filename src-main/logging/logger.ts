import type { ComponentLogger, Logger as Libp2pComponentLog } from '@libp2p/interface'
import pino, { type LevelWithSilent } from 'pino'
import { formatLibp2pLine } from './libp2p-line.js'
import { redact, redactText } from './redact.js'
import { createLogRing, type LogRing } from './ring.js'
import { formatTextLine, type TextLine } from './text-line.js'
import type { LineLevel, Log, LogFields, LogLevel } from './index.js'

/** Lines the memory ring keeps for the log page. */
const RING_LINES = 1000

/** Where lines go: `process.stderr` or anything that takes text. */
interface LogDestination {
  write(text: string): unknown
  on?(event: 'error', listener: (error: Error) => void): unknown
  off?(event: 'error', listener: (error: Error) => void): unknown
}

/** How to log. */
export interface LoggerOptions {
  level: LogLevel
  format: 'text' | 'json'
  destination: LogDestination
  /** Colours the text format. */
  colour?: boolean
  /** Unix milliseconds; for tests. */
  now?: () => number
}

/** The log of a running program. */
export interface Logger {
  readonly log: Log
  /** The last 1,000 lines. */
  readonly ring: LogRing
  readonly level: LogLevel
  /** Changes the level at once, for every component. */
  setLevel(level: LogLevel): void
  /** Nothing is written after it. Idempotent. */
  close(): void
}

/** Keys of every JSON line; a field of that name gets an underscore. */
const RESERVED = new Set(['level', 'time', 'component', 'msg'])

/** Lines as text for people or pino's JSON lines; fields pass through {@link redact} before they go anywhere. */
export function createLogger(options: LoggerOptions): Logger {
  const { destination, now = Date.now } = options
  const ring = createLogRing({ capacity: RING_LINES })
  let open = true
  // Standard error may be a terminal that was closed or a pipe nobody reads: the node goes on, the ring keeps the lines.
  const stopWriting = (): void => {
    open = false
  }
  destination.on?.('error', stopWriting)

  const sink = {
    write(text: string): void {
      if (open) destination.write(text)
    },
  }
  const root = pino(
    { base: null, level: options.level, timestamp: false, formatters: { level: (level) => ({ level }) } },
    sink,
  )
  const print: (line: TextLine) => void =
    options.format === 'json'
      ? ({ atMs, level, component, message, fields }) => {
          root[level]({ time: new Date(atMs).toISOString(), component, ...withoutReserved(fields) }, message)
        }
      : (line) => sink.write(formatTextLine(line, { colour: options.colour === true }))

  function write(level: LineLevel, component: string, message: string, fields: LogFields = {}): void {
    if (!root.isLevelEnabled(level)) return
    const line: TextLine = {
      atMs: now(),
      level,
      component,
      message: redactText(message),
      fields: redact(fields, { stacks: root.isLevelEnabled('debug') }),
    }
    print(line)
    ring.push({ ...line, fields: Object.keys(line.fields).length === 0 ? '' : JSON.stringify(line.fields) })
  }

  function logOf(component: string): Log {
    return {
      forComponent: logOf,
      trace: (message, fields) => write('trace', component, message, fields),
      debug: (message, fields) => write('debug', component, message, fields),
      info: (message, fields) => write('info', component, message, fields),
      warn: (message, fields) => write('warn', component, message, fields),
      error: (message, fields) => write('error', component, message, fields),
      isEnabled: (level) => root.isLevelEnabled(level),
    }
  }

  return {
    log: logOf('ocf'),
    ring,
    get level() {
      return root.level as LogLevel
    },
    setLevel(level: LevelWithSilent & LogLevel) {
      root.level = level
    },
    close() {
      open = false
      destination.off?.('error', stopWriting)
    },
  }
}

function withoutReserved(fields: TextLine['fields']): TextLine['fields'] {
  return Object.fromEntries(Object.entries(fields).map(([key, value]) => [RESERVED.has(key) ? `${key}_` : key, value]))
}

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
      if (isOn(level)) log[level](formatLibp2pLine(formatter, args))
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
