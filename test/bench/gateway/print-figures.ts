import type { Goal, SummedFigure } from './figures.ts'

const COLUMNS = { name: 52, value: 14, goal: 10, verdict: 7 }

/** The heads of the columns. */
export function printHeading(): void {
  const { name, value, goal, verdict } = COLUMNS
  console.log(
    `${'figure'.padEnd(name)}${'median'.padStart(value)}${'goal'.padStart(goal)}${''.padStart(verdict)}  middle half of rounds`,
  )
}

/** Lines for a terminal: a heading for each row, its figures below, the goal and the noise beside each. */
export function printFigures(figures: readonly SummedFigure[]): void {
  const { name, value, goal, verdict } = COLUMNS
  let row = ''
  for (const figure of goalsFirst(figures)) {
    if (figure.row !== row) console.log(`\n${figure.row}`)
    row = figure.row
    const [low, high] = figure.quartiles
    const range = figure.samples.length < 2 ? '' : `  ${shown(low)} – ${shown(high)}`
    console.log(
      `  ${figure.name}`.padEnd(name) +
        `${shown(figure.value)} ${figure.unit}`.trim().padStart(value) +
        shownGoal(figure.goal).padStart(goal) +
        verdictOf(figure.met).padStart(verdict) +
        range,
    )
  }
}

/** How many goals are met. */
export function printVerdict(figures: readonly SummedFigure[]): void {
  const judged = figures.filter(({ met }) => met !== undefined)
  console.log(`\n${judged.filter(({ met }) => met).length} of ${judged.length} goals met.`)
}

/** Within each row; the rows keep their order. */
function goalsFirst(figures: readonly SummedFigure[]): SummedFigure[] {
  const rows = [...new Set(figures.map(({ row }) => row))]
  return rows.flatMap((row) => {
    const own = figures.filter((figure) => figure.row === row)
    return [...own.filter(({ goal }) => goal !== undefined), ...own.filter(({ goal }) => goal === undefined)]
  })
}

function shownGoal(goal: Goal | undefined): string {
  if (goal === undefined) return ''
  return 'atMost' in goal ? `≤ ${goal.atMost}` : `≥ ${goal.atLeast}`
}

function verdictOf(met: boolean | undefined): string {
  return met === undefined ? '' : met ? 'met' : 'MISSED'
}

/** Three digits that count are enough beside such noise. */
function shown(value: number): string {
  if (Number.isNaN(value)) return '–'
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : Math.abs(value) >= 1 ? 2 : 3
  return value.toFixed(digits)
}
