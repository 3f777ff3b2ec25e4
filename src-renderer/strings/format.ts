import { LANGUAGE } from './languages/page-language.js'

/** How numbers and days are written: British English, for its order of day and month, or German. */
export const LOCALE = LANGUAGE === 'de' ? 'de' : 'en-GB'

/** A number with its separators: `12,345`, in German `12.345`. */
export function formatNumber(n: number): string {
  return n.toLocaleString(LOCALE)
}

/** A number with so many decimals: `1.3`, in German `1,3`. */
export function formatDecimal(n: number, digits: number): string {
  return n.toLocaleString(LOCALE, { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** `1 model`, `3 models`: a number with its unit. */
export function count(n: number, unit: string): string {
  return `${formatNumber(n)} ${unit}${n === 1 ? '' : 's'}`
}

const AND = new Intl.ListFormat(LOCALE)

/** Names as they stand in a sentence: `Ollama, vLLM and LM Studio`. */
export function list(names: readonly string[]): string {
  return AND.format(names)
}

/** Milliseconds as a person reads them: `84 ms`, `1.3 s`, `2 min 5 s`. */
export function formatMs(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${formatDecimal(ms / 1000, ms < 10_000 ? 1 : 0)} s`
  return `${Math.floor(ms / 60_000)} min ${Math.round((ms % 60_000) / 1000)} s`
}

/** Milliseconds in the unit that fits `largestMs`, so that an axis has one: `0.5 s` beside `12 s`. */
export function formatMsLike(ms: number, largestMs: number): string {
  if (largestMs < 1000) return `${Math.round(ms)} ms`
  if (largestMs < 120_000) return `${formatNumber(Number((ms / 1000).toFixed(2)))} s`
  return `${formatNumber(Number((ms / 60_000).toFixed(1)))} min`
}

/** Bytes in decimal units: `812 B`, `4.1 kB`, `2.0 MB`. */
export function formatBytes(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${unit === 0 ? value : formatDecimal(value, value < 10 ? 1 : 0)} ${units[unit] ?? 'B'}`
}

const MIB_OF_GIB = 1024

/** Memory of a graphics card as its label counts it, in powers of two: `800 MB`, `8.0 GB`, `24 GB`. */
export function formatMemory(mebibytes: number): string {
  const gibibytes = mebibytes / MIB_OF_GIB
  if (gibibytes < 0.9995) return `${Math.round(mebibytes)} MB`
  return `${formatDecimal(gibibytes, gibibytes < 9.95 ? 1 : 0)} GB`
}

const NOW = LANGUAGE === 'de' ? 'jetzt' : 'now'
const ago = (time: string): string => (LANGUAGE === 'de' ? `vor ${time}` : `${time} ago`)
const RELATIVE = new Intl.RelativeTimeFormat(LOCALE)
/** From here on a count of days says little. */
const MANY_DAYS = 60
/** Of the calendar, on average. */
const DAYS_OF_MONTH = 30.44

/** How long ago: `now`, `12 s ago`, `5 min ago`, `3 h ago`, `2 d ago`, `4 months ago`, `3 years ago`. */
export function formatAgo(atMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.round((nowMs - atMs) / 1000))
  if (seconds < 2) return NOW
  if (seconds < 60) return ago(`${seconds} s`)
  if (seconds < 3600) return ago(`${Math.floor(seconds / 60)} min`)
  if (seconds < 86_400) return ago(`${Math.floor(seconds / 3600)} h`)
  const days = Math.floor(seconds / 86_400)
  if (days < MANY_DAYS) return ago(`${days} d`)
  const months = Math.floor(days / DAYS_OF_MONTH)
  return months < 24 ? RELATIVE.format(-months, 'month') : RELATIVE.format(-Math.floor(months / 12), 'year')
}

/** How long until then: `in 12 min`, `in 3 h`, `in 5 d`; `now` when it has come. */
export function formatIn(atMs: number, nowMs: number): string {
  const minutes = Math.ceil((atMs - nowMs) / 60_000)
  if (minutes <= 0) return NOW
  if (minutes < 60) return `in ${minutes} min`
  return minutes < 48 * 60 ? `in ${Math.round(minutes / 60)} h` : `in ${Math.round(minutes / 1440)} d`
}

/** How long is left until then: `14 min`, `40 s`, `3 h 5 min`. */
export function formatLeft(atMs: number, nowMs: number): string {
  const seconds = Math.max(0, Math.round((atMs - nowMs) / 1000))
  if (seconds < 60) return `${seconds} s`
  const minutes = Math.ceil(seconds / 60)
  if (minutes < 60) return `${minutes} min`
  const rest = minutes % 60
  return `${Math.floor(minutes / 60)} h${rest === 0 ? '' : ` ${rest} min`}`
}

/** The exact local time, for hovers: `2026-03-10 14:05:09`, in German `10.03.2026 14:05:09`. */
export function formatExact(atMs: number): string {
  const day = isoDay(atMs)
  return `${LANGUAGE === 'de' ? day.split('-').reverse().join('.') : day} ${formatClock(atMs)}`
}

/** The local day as files are named after it: `2026-03-10`. */
export function isoDay(atMs: number): string {
  const date = new Date(atMs)
  const two = (n: number): string => String(n).padStart(2, '0')
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`
}

/** The local time of day: `14:05:09`. */
export function formatClock(atMs: number): string {
  const date = new Date(atMs)
  return [date.getHours(), date.getMinutes(), date.getSeconds()].map((n) => String(n).padStart(2, '0')).join(':')
}

/** The local time of day in hours and minutes: `14:05`. */
export function formatTime(atMs: number): string {
  return formatClock(atMs).slice(0, 5)
}

const DAY = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'long', year: 'numeric', timeZone: 'UTC' })

/** A day of the calendar, given as `2030-01-31`: `31 January 2030`, in German `31. Januar 2030`. */
export function formatDay(day: string): string {
  const at = Date.parse(`${day}T00:00:00Z`)
  return Number.isNaN(at) ? day : DAY.format(at)
}

/** A peer id that fits a table: its last eight characters, which differ where the first ones never do. */
export function shortPeerId(peerId: string): string {
  return peerId.length <= 12 ? peerId : `…${peerId.slice(-8)}`
}

const COMPACT = new Intl.NumberFormat(LANGUAGE, { notation: 'compact', maximumFractionDigits: 1 })

/** Tokens as models have them, in thousands of 1,024 where that is even: `128K`, `8K`, else `131,000`. */
export function formatTokens(n: number): string {
  return n >= 1024 && n % 1024 === 0 ? `${formatNumber(n / 1024)}K` : formatNumber(n)
}

/** A count in few characters: `840`, `12.3K`, `4M`. */
export function formatCompact(n: number): string {
  return COMPACT.format(n)
}
