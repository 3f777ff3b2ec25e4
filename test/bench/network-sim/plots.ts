/** A picture of bars that stand on each other, one column each. */
export interface StackedBars {
  title: string
  unit: string
  columns: readonly { name: string; parts: Readonly<Record<string, number>> }[]
  /** A line across, and its name. */
  limit: { value: number; name: string }
}

/** A picture of lines over sizes of networks, both axes by powers of ten. */
export interface Lines {
  title: string
  unit: string
  lines: readonly { name: string; points: readonly (readonly [nodes: number, value: number])[] }[]
  limit?: { value: number; name: string }
}

const [WIDTH, HEIGHT] = [760, 420]
const BOX = { left: 70, right: 210, top: 50, bottom: 50 }
/** Told apart by those who see no red or no green, too (M. Okabe and K. Ito, Color Universal Design). */
const COLOURS = ['#0072b2', '#e69f00', '#009e73', '#cc79a7', '#56b4e9', '#d55e00', '#777777']

/** The bars as SVG. */
export function stackedBars({ title, unit, columns, limit }: StackedBars): string {
  const names = [...new Set(columns.flatMap(({ parts }) => Object.keys(parts)))]
  const heights = columns.map(({ parts }) => Object.values(parts).reduce((sum, value) => sum + value, 0))
  const most = 1.1 * Math.max(limit.value, ...heights)
  const y = (value: number): number => HEIGHT - BOX.bottom - (value / most) * (HEIGHT - BOX.top - BOX.bottom)
  const step = (WIDTH - BOX.left - BOX.right) / columns.length
  const bars = columns.map(({ name, parts }, index) => {
    const x = BOX.left + step * (index + 0.2)
    let below = 0
    const rects = names.map((part, number) => {
      const value = parts[part] ?? 0
      below += value
      const height = y(below - value) - y(below)
      return `<rect x="${n(x)}" y="${n(y(below))}" width="${n(step * 0.6)}" height="${n(height)}" fill="${colour(number)}"/>`
    })
    const total = text(x + step * 0.3, y(below) - 4, short(below), 'middle')
    return [...rects, total, text(x + step * 0.3, HEIGHT - BOX.bottom + 18, name, 'middle')].join('')
  })
  return picture(title, unit, [
    ...bars,
    rule(y(limit.value), limit.name, 'end'),
    ...legend(names),
    axis(),
    text(BOX.left - 8, y(0), '0', 'end'),
  ])
}

/** The lines as SVG. */
export function linesOverNodes({ title, unit, lines, limit }: Lines): string {
  const points = lines.flatMap((line) => line.points)
  const log =
    ([least, most]: readonly [number, number], from: number, to: number) =>
    (value: number) =>
      from + ((Math.log10(value) - Math.log10(least)) / (Math.log10(most) - Math.log10(least))) * (to - from)
  const ends = (values: readonly number[]): readonly [number, number] => [
    10 ** Math.floor(Math.log10(Math.min(...values))),
    10 ** Math.ceil(Math.log10(Math.max(...values))),
  ]
  const xEnds = ends(points.map(([nodes]) => nodes))
  const yEnds = ends([...points.map(([, value]) => value), ...(limit === undefined ? [] : [limit.value])])
  const x = log(xEnds, BOX.left, WIDTH - BOX.right)
  const y = log(yEnds, HEIGHT - BOX.bottom, BOX.top)
  const ticks = (from: number, to: number): number[] =>
    Array.from({ length: Math.round(Math.log10(to / from)) + 1 }, (_, power) => from * 10 ** power)
  return picture(title, unit, [
    ...lines.map(({ points: line }, index) => {
      const path = line.map(([nodes, value]) => `${n(x(nodes))},${n(y(value))}`).join(' ')
      const dots = line.map(
        ([nodes, value]) => `<circle cx="${n(x(nodes))}" cy="${n(y(value))}" r="4" fill="${colour(index)}"/>`,
      )
      return `<polyline points="${path}" fill="none" stroke="${colour(index)}" stroke-width="2"/>${dots.join('')}`
    }),
    ...(limit === undefined ? [] : [rule(y(limit.value), limit.name, 'start')]),
    ...ticks(...xEnds).map((value) => text(x(value), HEIGHT - BOX.bottom + 18, short(value), 'middle')),
    ...ticks(...yEnds).map((value) => text(BOX.left - 8, y(value) + 4, short(value), 'end')),
    ...legend(lines.map(({ name }) => name)),
    axis(),
    text((BOX.left + WIDTH - BOX.right) / 2, HEIGHT - 10, 'nodes', 'middle'),
  ])
}

function picture(title: string, unit: string, parts: readonly string[]): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${String(WIDTH)} ${String(HEIGHT)}" font-family="system-ui, sans-serif" font-size="12" role="img" aria-label="${escaped(title)}">`,
    `<rect width="${String(WIDTH)}" height="${String(HEIGHT)}" fill="#ffffff"/>`,
    `<text x="${String(BOX.left)}" y="22" font-size="15" font-weight="600" fill="#222222">${escaped(title)}</text>`,
    text(BOX.left, 40, unit, 'start'),
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}

const legend = (names: readonly string[]): string[] =>
  names.map((name, index) => {
    const y = BOX.top + 8 + 20 * index
    const x = WIDTH - BOX.right + 16
    return `<rect x="${n(x)}" y="${n(y)}" width="12" height="12" fill="${colour(index)}"/>${text(x + 18, y + 10, name, 'start')}`
  })

/** A line across; its name stands at that end of it. */
const rule = (y: number, name: string, end: 'start' | 'end'): string =>
  `<line x1="${String(BOX.left)}" x2="${String(WIDTH - BOX.right)}" y1="${n(y)}" y2="${n(y)}" stroke="#222222" stroke-dasharray="5 4"/>${text(end === 'start' ? BOX.left + 6 : WIDTH - BOX.right, y - 5, name, end)}`

const axis = (): string =>
  `<path d="M${String(BOX.left)} ${String(BOX.top)}V${String(HEIGHT - BOX.bottom)}H${String(WIDTH - BOX.right)}" fill="none" stroke="#888888"/>`

const text = (x: number, y: number, words: string, anchor: string): string =>
  `<text x="${n(x)}" y="${n(y)}" text-anchor="${anchor}" fill="#333333">${escaped(words)}</text>`

const colour = (index: number): string => COLOURS[index % COLOURS.length] ?? '#000000'
const n = (value: number): string => value.toFixed(1)
const short = (value: number): string =>
  value >= 1_000 ? `${String(Math.round(value / 100) / 10)}k` : String(value >= 10 ? Math.round(value) : value)
const escaped = (words: string): string =>
  words.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;')
