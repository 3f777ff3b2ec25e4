import { isIP } from 'node:net'
import { z } from 'zod'
import { parseSchedule } from '#shared/schedule.js'
import type { ListItem, SettingRow } from './setting-row.js'

/** How the values of one row are read: the schema decides, `expected` completes the sentence `"x" is not …`. */
export interface ValueKind {
  schema: z.ZodType
  expected: string
}

const MAX_TEXT = 64 * 1024
const MAX_LIST = 256
const MS_PER_UNIT: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

const BYTES_PER_UNIT: Record<string, number> = {
  '': 1,
  b: 1,
  kb: 1000,
  mb: 1000 ** 2,
  gb: 1000 ** 3,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
}

const TRUE_WORDS = new Set(['true', 'yes', 'on', '1'])
const FALSE_WORDS = new Set(['false', 'no', 'off', '0'])

const number = (raw: unknown): unknown =>
  typeof raw === 'string' && /^\s*\d+(\.\d+)?\s*$/.test(raw) ? Number(raw) : raw
const text = (raw: unknown): unknown => (typeof raw === 'number' || typeof raw === 'bigint' ? String(raw) : raw)
const word = (raw: unknown): unknown => {
  if (typeof raw !== 'string') return raw === 1 ? true : raw === 0 ? false : raw
  const lower = raw.trim().toLowerCase()
  return TRUE_WORDS.has(lower) ? true : FALSE_WORDS.has(lower) ? false : raw
}

const aText = z.preprocess(text, z.string().max(MAX_TEXT))
const trimmed = z.preprocess(text, z.string().trim().max(MAX_TEXT))

const ITEMS: Record<ListItem, ValueKind> = {
  text: { schema: trimmed.pipe(z.string().min(1)), expected: 'a text' },
  'ip-address': {
    schema: trimmed.pipe(z.string().refine((ip) => isIP(ip) !== 0 && !hasZone(ip))),
    expected: 'an IP address (without a zone like %eth0)',
  },
  origin: {
    schema: trimmed.pipe(z.string().regex(/^(\*|null|[a-z][a-z0-9+.-]*:\/\/[^\s/?#@]+)$/i)),
    expected: 'an origin like http://localhost:3000, or *',
  },
  'host-pattern': {
    schema: trimmed
      .transform((pattern) => pattern.toLowerCase().replace(/\.$/, ''))
      .pipe(z.string().refine(isHostPattern)),
    expected: 'a host name like node.example.org, or *.example.org for all below it (no scheme, no port)',
  },
  'identity-group': {
    schema: trimmed.pipe(
      z
        .string()
        .max(512)
        .regex(/^(all|[^=\s]+=.+)$/),
    ),
    expected: 'key=value, key=* or all (write a JSON array where a value holds a comma)',
  },
  'shared-path': {
    schema: trimmed.pipe(z.string().regex(/^(([A-Z]+|\*) )?\/[^\s?#]*$/)),
    expected: 'a path like /v1/score or `POST /v1/score`, with an optional * at its end',
  },
  'peer-id': {
    schema: trimmed.pipe(z.string().regex(/^(?:12D3KooW|Qm|16Uiu2HA)[1-9A-HJ-NP-Za-km-z]{20,80}$/)),
    expected: 'a peer id, like 12D3KooW…',
  },
}

const HOST = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]*[a-z0-9_])?)*\.?$/i

/** True for an IPv4 or IPv6 address without brackets, or a host name. */
function isHost(host: string): boolean {
  return isIP(host) !== 0 || (HOST.test(host) && !/^[\d.]+$/.test(host))
}

/** True for what {@link isHost} takes, and for `*.` before a host name. */
function isHostPattern(pattern: string): boolean {
  return pattern.startsWith('*.') ? isIP(pattern.slice(2)) === 0 && isHost(pattern.slice(2)) : isHost(pattern)
}

/** `fe80::1%eth0`: the zone is an interface of this machine, and no multiaddr holds it like that. */
const hasZone = (ip: string): boolean => ip.includes('%')

/** What is listened on, and nobody's address. */
const ANY = /^(0\.0\.0\.0|\[?::\]?)(:\d+)?$/

/** True for what {@link isHost} takes, with or without a port: `1.2.3.4`, `[2001:db8::1]:43905`, `node.example:43905`. */
function isPublicAddress(address: string): boolean {
  if (hasZone(address) || ANY.test(address)) return false
  if (isHost(address)) return true
  const parts = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d{1,5}))?$/.exec(address)
  if (parts === null) return false
  const port = parts[3] === undefined ? 1 : Number(parts[3])
  const host = parts[1] === undefined ? isHost(parts[2] ?? '') : isIP(parts[1]) === 6
  return host && port >= 1 && port <= 65_535
}

/** A list given as one string: split at commas, or a JSON array where it is one. */
export function splitList(given: string): unknown[] {
  if (given.trimStart().startsWith('[')) {
    const list = jsonArray(given)
    if (list !== undefined) return list
  }
  return given.split(',').filter((item) => item.trim() !== '')
}

function jsonArray(source: string): unknown[] | undefined {
  try {
    const value: unknown = JSON.parse(source)
    return Array.isArray(value) ? value : undefined
  } catch {
    return undefined // An IPv6 address in brackets, say: not JSON, so a comma list.
  }
}

/** How to read the values of this row. */
export function valueKind(row: SettingRow): ValueKind {
  switch (row.kind) {
    case 'choice':
      return { schema: trimmed.pipe(z.enum([...row.choices])), expected: `one of ${row.choices.join(', ')}` }
    case 'port':
      return whole(0, 65_535, 'a port: a whole number from 0 to 65535, where 0 is any free one')
    case 'optional-port':
      return whole(1, 65_535, 'a port: a whole number from 1 to 65535')
    case 'count':
      return whole(row.min, row.max, `a whole number from ${row.min} to ${row.max}`)
    case 'text':
      return { schema: aText, expected: 'a text' }
    case 'path':
      return { schema: aText.pipe(z.string().min(1)), expected: 'a path' }
    case 'host':
      return {
        schema: trimmed.transform((host) => host.replace(/^\[(.*)\]$/, '$1')).pipe(z.string().refine(isHost)),
        expected: 'a host name or an IP address',
      }
    case 'public-address':
      return {
        schema: trimmed.pipe(z.string().refine((address) => address === '' || isPublicAddress(address))),
        expected: 'an IPv4 address, an IPv6 address or a host name, with an optional :port',
      }
    case 'service-name':
      return {
        schema: trimmed.pipe(z.string().regex(/^([a-z0-9][a-z0-9._-]{0,63})?$/i)),
        expected: 'a service name: up to 64 letters, digits, dots, dashes or underscores',
      }
    case 'url-path':
      return { schema: trimmed.pipe(z.string().regex(/^\/[^\s#]*$/)), expected: 'a path that begins with /' }
    case 'schedule':
      return {
        schema: trimmed.pipe(z.string().refine((given) => given === '' || parseSchedule(given) !== undefined)),
        expected: 'days and hours like `Mon-Fri 18:00-08:00; Sat,Sun 00:00-24:00`',
      }
    case 'boolean':
      return { schema: z.preprocess(word, z.boolean()), expected: 'true or false' }
    case 'duration':
      return {
        schema: z.preprocess(durationInMs, z.number().min(row.min).max(row.max)),
        expected: `a duration from ${describeDuration(row.min)} to ${describeDuration(row.max)}, like 500ms, 10s, 5m, 1h or a number of seconds`,
      }
    case 'size':
      return {
        schema: z.preprocess(sizeInBytes, z.number().int().min(row.min).max(row.max)),
        expected: `a size from ${describeSize(row.min)} to ${describeSize(row.max)}, like 64MiB, 10MB or a number of bytes`,
      }
    case 'list':
      return listKind(row)
  }
}

function whole(min: number, max: number, expected: string): ValueKind {
  return { schema: z.preprocess(number, z.number().int().min(min).max(max)), expected }
}

function listKind({ item, split, maxItems = MAX_LIST }: SettingRow & { kind: 'list' }): ValueKind {
  const one = ITEMS[item]
  const asArray = (raw: unknown): unknown => {
    if (typeof raw === 'string') return split === 'comma' ? splitList(raw) : raw.trim() === '' ? [] : [raw]
    return typeof raw === 'number' ? [raw] : raw
  }
  return { schema: z.preprocess(asArray, z.array(one.schema).max(maxItems)), expected: one.expected }
}

/** `500ms`, `10s`, `5m`, `1h` or a plain number of seconds in whole milliseconds; anything else is given back as it is. */
export function durationInMs(raw: unknown): unknown {
  if (typeof raw === 'number') return Math.round(raw * 1000)
  if (typeof raw !== 'string') return raw
  const parts = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$/.exec(raw.trim())
  return parts === null ? raw : Math.round(Number(parts[1]) * (MS_PER_UNIT[parts[2] ?? 's'] ?? Number.NaN))
}

/** `64MiB`, `10MB`, `1024` in whole bytes; anything else is given back as it is. */
function sizeInBytes(raw: unknown): unknown {
  if (typeof raw !== 'string') return raw
  const parts = /^(\d+(?:\.\d+)?)\s*([kmg]i?b|b)?$/i.exec(raw.trim())
  return parts === null
    ? raw
    : Math.round(Number(parts[1]) * (BYTES_PER_UNIT[(parts[2] ?? '').toLowerCase()] ?? Number.NaN))
}

/** Milliseconds in the largest unit that leaves a whole number: 600000 → `10m`. */
export function describeDuration(ms: number): string {
  for (const unit of ['h', 'm', 's']) {
    const size = MS_PER_UNIT[unit] ?? 1
    if (ms >= size && ms % size === 0) return `${ms / size}${unit}`
  }
  return `${ms}ms`
}

/** Bytes in the largest unit that leaves a whole number: 67108864 → `64MiB`. */
export function describeSize(bytes: number): string {
  for (const unit of ['GiB', 'MiB', 'KiB', 'GB', 'MB', 'kB']) {
    const size = BYTES_PER_UNIT[unit.toLowerCase()] ?? 1
    if (bytes >= size && bytes % size === 0) return `${bytes / size}${unit}`
  }
  return `${bytes}`
}
