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

/** `500ms`, `10s`, `5m`, `1h` or a plain number of seconds in whole milliseconds; anything else is given back as it is. */
export function durationInMs(raw: unknown): unknown {
  if (typeof raw === 'number') return Math.round(raw * 1000)
  if (typeof raw !== 'string') return raw
  const parts = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$/.exec(raw.trim())
  return parts === null ? raw : Math.round(Number(parts[1]) * (MS_PER_UNIT[parts[2] ?? 's'] ?? Number.NaN))
}

/** `64MiB`, `10MB`, `1024` in whole bytes; anything else is given back as it is. */
export function sizeInBytes(raw: unknown): unknown {
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
