/** The sum of a gauge over its labels in a Prometheus text; undefined where it is missing. */
export function gauge(text: string, ...names: string[]): number | undefined {
  let sum: number | undefined
  for (const line of text.split('\n')) {
    const [, name, value] = /^([a-zA-Z_:][\w:]*)(?:\{[^}]*\})?\s+(\S+)/.exec(line) ?? []
    if (name === undefined || !names.includes(name)) continue
    const number = Number(value)
    if (Number.isFinite(number)) sum = (sum ?? 0) + number
  }
  return sum
}
