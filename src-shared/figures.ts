// How figures stand in what the program says in English outside the dashboard: at the command line, in the doctor's
// findings and in the tray. The dashboard writes them by its language (src-renderer/strings/format.ts).

/** A number with its separators: `12,345`. */
export function numberText(n: number): string {
  return n.toLocaleString('en-GB')
}

/** `1 peer`, `12,345 peers`. */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${numberText(count)} ${count === 1 ? one : many}`
}

const MS_OF = { d: 86_400_000, h: 3_600_000, min: 60_000, s: 1000 } as const

/** How long something took or takes: `<1 ms`, `84 ms`, `1.3 s`, `12 s`, `2 min 5 s`, `3 h`, `2 d 4 h`. */
export function durationText(ms: number): string {
  if (ms < 1) return '<1 ms'
  if (ms < 999.5) return `${Math.round(ms)} ms`
  if (ms < 9950) return `${(ms / MS_OF.s).toFixed(1)} s`
  const pairs = [
    ['d', 'h'],
    ['h', 'min'],
    ['min', 's'],
  ] as const
  for (const [large, small] of pairs) {
    const smalls = Math.round(ms / MS_OF[small])
    const inLarge = MS_OF[large] / MS_OF[small]
    if (smalls < inLarge) continue
    const rest = smalls % inLarge
    return `${Math.floor(smalls / inLarge)} ${large}${rest === 0 ? '' : ` ${rest} ${small}`}`
  }
  return `${Math.round(ms / MS_OF.s)} s`
}

/** The time since `atMs` in its largest unit: `40 s`, `5 min`, `3 h`, `2 d`. */
export function since(atMs: number, nowMs: number): string {
  const ms = Math.max(0, nowMs - atMs)
  const unit = (['d', 'h', 'min'] as const).find((one) => ms >= MS_OF[one]) ?? 's'
  return `${Math.floor(ms / MS_OF[unit])} ${unit}`
}

/** Bytes in decimal units: `812 B`, `4.1 kB`, `64 MB`, `2.0 GB`. */
export function sizeText(bytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'] as const
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${value < 9.95 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit] ?? 'B'}`
}

/** `9.4 tokens/s`, `41 tokens/s`. */
export function speedText(tokensPerS: number): string {
  return `${tokensPerS < 9.95 ? tokensPerS.toFixed(1) : numberText(Math.round(tokensPerS))} tokens/s`
}

/** A moment on this computer's clock: `14:05`, on another day than now `2030-01-31 14:05`. */
export function momentText(atMs: number, nowMs: number): string {
  const text = dayTimeText(atMs)
  return text.slice(0, 10) === dayTimeText(nowMs).slice(0, 10) ? text.slice(11) : text
}

/** The same with its day in any case: `2030-01-31 14:05`. */
export function dayTimeText(atMs: number): string {
  const at = new Date(atMs)
  const [year, ...rest] = [at.getFullYear(), at.getMonth() + 1, at.getDate(), at.getHours(), at.getMinutes()]
  const [month, day, hour, minute] = rest.map((part) => String(part).padStart(2, '0'))
  return `${year}-${month}-${day} ${hour}:${minute}`
}
