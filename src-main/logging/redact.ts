/** Names whose values are never written anywhere, compared without case, dashes and underscores. */
const SECRET_NAMES = new Set([
  'token',
  'controltoken',
  'accesstoken',
  'authorization',
  'proxyauthorization',
  'cookie',
  'setcookie',
  'key',
  'apikey',
  'xapikey',
  'privatekey',
  'secret',
  'password',
  'prompt',
  'messages',
  'content',
])

const HIDDEN = '[hidden]'
const MAX_DEPTH = 4
const MAX_ENTRIES = 50
const MAX_TEXT = 4096

/** A value as a log line carries it. */
export type PlainValue = string | number | boolean | null | PlainValue[] | { [key: string]: PlainValue }

/** What {@link redact} does besides. */
export interface RedactOptions {
  /** True keeps the stacks of errors. */
  stacks: boolean
}

/**
 * Fields as plain JSON of bounded size, without anything that must not be logged: values of secret names at any depth,
 * and `token=…` and `Bearer …` inside texts.
 */
export function redact(fields: Readonly<Record<string, unknown>>, options: RedactOptions): Record<string, PlainValue> {
  return plainEntries(fields, 0, options)
}

/** The text without secrets in URLs and headers, cut at 4096 characters. */
export function redactText(text: string): string {
  const cut = text.length > MAX_TEXT ? `${text.slice(0, MAX_TEXT)}… (${text.length} characters)` : text
  return cut
    .replaceAll(/\b((?:access_|api_)?token|api_?key|password)=[^&\s#"'<>]+/gi, `$1=${HIDDEN}`)
    .replaceAll(/\b(Bearer|Basic)\s+[\w.~+/=-]{4,}/gi, `$1 ${HIDDEN}`)
    .replaceAll(/\bocf\.token\.[^\s,"']+/g, `ocf.token.${HIDDEN}`)
}

function isSecretName(name: string): boolean {
  return SECRET_NAMES.has(name.toLowerCase().replaceAll(/[-_]/g, ''))
}

function plainValue(value: unknown, depth: number, options: RedactOptions): PlainValue {
  switch (typeof value) {
    case 'string':
      return redactText(value)
    case 'number':
      return Number.isFinite(value) ? value : String(value)
    case 'boolean':
      return value
    case 'object':
      return value === null ? null : plainObject(value, depth, options)
    case 'bigint':
      return value.toString()
    case 'symbol':
    case 'function':
    case 'undefined':
      return `[${typeof value}]`
  }
}

function plainObject(value: object, depth: number, options: RedactOptions): PlainValue {
  if (value instanceof Error) return plainError(value, depth, options)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? 'Invalid Date' : value.toISOString()
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`
  if (Array.isArray(value) || value instanceof Set) {
    if (depth > MAX_DEPTH) return '[…]'
    const items = [...(value as Iterable<unknown>)]
    const shown = items.slice(0, MAX_ENTRIES).map((item) => plainValue(item, depth + 1, options))
    return items.length > MAX_ENTRIES ? [...shown, `… ${items.length - MAX_ENTRIES} more`] : shown
  }
  if (value instanceof Map) return plainObject(Object.fromEntries(value as Map<string, unknown>), depth, options)
  const text = ownText(value)
  if (text !== undefined) return redactText(text)
  if (depth > MAX_DEPTH) return '{…}'
  return plainEntries(value, depth, options)
}

function plainEntries(value: object, depth: number, options: RedactOptions): Record<string, PlainValue> {
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined)
  return Object.fromEntries(
    entries
      .slice(0, MAX_ENTRIES)
      .map(([key, entry]) => [key, isSecretName(key) ? HIDDEN : plainValue(entry, depth + 1, options)]),
  )
}

function plainError(error: Error, depth: number, options: RedactOptions): PlainValue {
  const plain: Record<string, PlainValue> = { name: error.name, message: redactText(error.message) }
  if ('code' in error && (typeof error.code === 'string' || typeof error.code === 'number')) plain.code = error.code
  if (options.stacks && error.stack !== undefined) plain.stack = redactText(error.stack)
  if (depth <= MAX_DEPTH) {
    if (error.cause !== undefined) plain.cause = plainValue(error.cause, depth + 1, options)
    if (error instanceof AggregateError) plain.errors = plainValue(error.errors, depth + 1, options)
  }
  return plain
}

/** What peer ids, multiaddrs and URLs call themselves; undefined for what has no text of its own. */
function ownText(value: object): string | undefined {
  const text: unknown = (value as { toString?: unknown }).toString
  return typeof text === 'function' && text !== Object.prototype.toString ? String(text.call(value)) : undefined
}
