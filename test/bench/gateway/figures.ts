import { median, quartiles } from '../statistics.ts'

/** One line of the bench: a figure, the goal beside it, and how much it moved between the rounds. */
export interface Figure {
  /** The row it belongs to, as `--rows` names it. */
  row: string
  name: string
  unit: '' | 'ms' | 'µs' | 'B' | 'KiB' | 'MiB' | 'MiB/s' | '1/s'
  /** One of each round. */
  samples: readonly number[]
  goal?: Goal
}

export type Goal = { atMost: number } | { atLeast: number }

/** A figure with what follows from its samples. */
export interface SummedFigure extends Figure {
  value: number
  quartiles: [number, number]
  /** Undefined where there is no goal, or nothing was measured. */
  met: boolean | undefined
}

export function summed(figure: Figure): SummedFigure {
  const value = median(figure.samples)
  return { ...figure, value, quartiles: quartiles(figure.samples), met: isMet(value, figure.goal) }
}

function isMet(value: number, goal: Goal | undefined): boolean | undefined {
  if (goal === undefined || Number.isNaN(value)) return undefined
  return 'atMost' in goal ? value <= goal.atMost : value >= goal.atLeast
}

/** Pairs of one round are compared with each other only: the machine was the same then. */
export function perRound(
  values: readonly number[],
  others: readonly number[],
  compare: (value: number, other: number) => number,
): number[] {
  return values.map((value, round) => compare(value, others[round] ?? Number.NaN))
}

export const ratio = (value: number, other: number): number => value / other
export const difference = (value: number, other: number): number => value - other
