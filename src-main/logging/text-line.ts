import { printable } from './printable.js'
import type { PlainValue } from './redact.js'
import type { LineLevel } from './index.js'

/** What a line for people is made of. */
export interface TextLine {
  atMs: number
  level: LineLevel
  component: string
  message: string
  fields: Record<string, PlainValue>
}

const COLOURS: Record<LineLevel, number> = { trace: 90, debug: 90, info: 36, warn: 33, error: 31 }

/** `12:01:02 info  gateway  sentence  key=value` and a line end; stacks follow indented on their own lines. */
export function formatTextLine(line: TextLine, options: { colour: boolean }): string {
  const paint = (text: string, code: number): string => (options.colour ? `\u001b[${code}m${text}\u001b[0m` : text)
  const stacks: string[] = []
  const facts = Object.entries(line.fields).map(([key, value]) => `${printable(key)}=${fact(value, stacks)}`)
  const head = `${paint(clock(line.atMs), 90)} ${paint(line.level.padEnd(5), COLOURS[line.level])}`
  const parts = [`${head} ${printable(line.component).padEnd(7)}`, printable(line.message), facts.join(' ')]
  return `${parts.filter((part) => part !== '').join('  ')}\n${stacks.map(indented).join('')}`
}

function clock(atMs: number): string {
  const time = new Date(atMs)
  const two = (part: number): string => String(part).padStart(2, '0')
  return `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`
}

function fact(value: PlainValue, stacks: string[]): string {
  if (typeof value === 'string') return quoted(value)
  if (value === null || typeof value !== 'object') return String(value)
  if (!Array.isArray(value) && typeof value.message === 'string') {
    if (typeof value.stack === 'string') stacks.push(value.stack)
    return quoted(errorText(value))
  }
  return printable(JSON.stringify(value))
}

/** `message (code): cause` of an error that was made plain. */
function errorText(error: Record<string, PlainValue>): string {
  const { message, code, cause } = error
  const text = `${plainText(message)}${code === undefined ? '' : ` (${plainText(code)})`}`
  const nested =
    typeof cause === 'object' && cause !== null && !Array.isArray(cause) && typeof cause.message === 'string'
  return nested ? `${text}: ${errorText(cause)}` : text
}

function plainText(value: PlainValue | undefined): string {
  return typeof value === 'string' ? value : JSON.stringify(value ?? null)
}

function quoted(text: string): string {
  return text === '' || /[\s"=]/.test(text) ? printable(JSON.stringify(text)) : printable(text)
}

function indented(stack: string): string {
  return stack
    .split('\n')
    .map((line) => `    ${printable(line)}\n`)
    .join('')
}
