import type { LogLine } from '#shared/contract/logs.js'
import { formatExact } from '../../strings/format.js'

/** The levels one can begin at, least important first. */
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error'] as const
export type LogLevel = (typeof LOG_LEVELS)[number]

/** The lines of a level or above that hold a text anywhere. */
export function filterLog(lines: readonly LogLine[], level: LogLevel, text: string): LogLine[] {
  const wanted = text.trim().toLowerCase()
  return lines.filter((line) => isAtLeast(line, level) && textOf(line).toLowerCase().includes(wanted))
}

/** Lines as a text to paste. */
export function logText(lines: readonly LogLine[]): string {
  return lines.map((line) => `${formatExact(line.atMs)} ${textOf(line)}`).join('\n')
}

function isAtLeast(line: LogLine, level: LogLevel): boolean {
  return line.level === 'fatal' || LOG_LEVELS.indexOf(line.level) >= LOG_LEVELS.indexOf(level)
}

function textOf({ level, component, message, fields }: LogLine): string {
  return [level, component, message, fields].filter((part) => part !== '').join(' ')
}
