export { atMostEvery } from './at-most-every.js'
export { createLogFile } from './log-file.js'
export { createLogger, libp2pLogger, type Logger } from './logger.js'
export { printable } from './printable.js'
export { formatTextLine } from './text-line.js'
/** Fields of a log line: facts beside the constant sentence. Never prompts, answers, keys or tokens. */
export type LogFields = Readonly<Record<string, unknown>>

/** How important a line is, from the least to the most. */
export type LineLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error'

/** The least important level that is logged; `silent` logs nothing. */
export type LogLevel = LineLevel | 'silent'

/** What the rest of the program sees of logging: a constant sentence plus fields, under a component's name. */
export interface Log {
  /** A child whose lines carry `component: name`. */
  forComponent(name: string): Log
  trace(message: string, fields?: LogFields): void
  debug(message: string, fields?: LogFields): void
  info(message: string, fields?: LogFields): void
  warn(message: string, fields?: LogFields): void
  error(message: string, fields?: LogFields): void
  /** False when lines of that level go nowhere, so that costly fields need not be made. Absent: always made. */
  isEnabled?(level: LineLevel): boolean
}
