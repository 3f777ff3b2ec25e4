import { useEffect, useRef, useState } from 'react'
import UPlot from 'uplot'
import { LOCALE } from '../../strings/format.js'
import { Visible } from '../text/visible.js'
import styles from './chart.module.css'
import 'uplot/dist/uPlot.min.css'

/** One line or one part of the bars; its colour is a custom property of the theme. */
export interface ChartSeries {
  label: string
  color: string
  values: readonly (number | null)[]
}

/** How a chart is drawn: bars of parts that add up, or a line for each series with gaps where nothing was measured. */
type Shape = 'bars' | 'lines'

/** Figures over time, from zero up. Hovering tells those of one moment. */
export function Chart({
  label,
  atMs,
  series,
  shape,
  format,
  none,
  isTall = false,
}: {
  /** What it shows, for those who can't see it. */
  label: string
  atMs: readonly number[]
  series: readonly ChartSeries[]
  shape: Shape
  /** A value as a person reads it. `largest` is the largest on the axis: one unit serves them all. */
  format: (value: number, largest: number) => string
  /** What stands in the place of a chart of nothing. */
  none: string
  /** As tall as what stands beside it. */
  isTall?: boolean
}) {
  const [hovered, setHovered] = useState<number | null>(null)
  const height = isTall ? TALL : HEIGHT
  const isEmpty = series.every(({ values }) => values.every((value) => value === null || value === 0))
  return (
    <figure className={styles['chart']} aria-label={label}>
      <figcaption className={styles['legend']}>
        {series.map((one) => {
          const value = hovered === null ? undefined : one.values[hovered]
          return (
            <span key={one.label} className={styles['name']}>
              <span className={styles['dot']} style={{ background: `var(${one.color})` }} />
              <span className={styles['of']}>
                <Visible text={one.label} />
              </span>
              {value != null && <strong>{format(value, value)}</strong>}
            </span>
          )
        })}
      </figcaption>
      {isEmpty ? (
        <p className={styles['none']} style={{ height }}>
          {none}
        </p>
      ) : (
        <Plot atMs={atMs} series={series} shape={shape} format={format} onHover={setHovered} height={height} />
      )}
    </figure>
  )
}

function Plot({
  atMs,
  series,
  shape,
  format,
  onHover,
  height,
}: {
  atMs: readonly number[]
  series: readonly ChartSeries[]
  shape: Shape
  format: (value: number, largest: number) => string
  onHover: (index: number | null) => void
  /** In pixels. */
  height: number
}) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot>(undefined)
  const theme = useThemeName()
  const names = series.map((one) => one.label).join('\n')
  const [first = 0, second = 0] = atMs
  const isDaily = shape === 'bars' && second - first >= DAY_MS
  const data = dataFor(atMs, series, shape)
  const latest = useRef({ data, series, format, onHover })
  useEffect(() => {
    latest.current = { data, series, format, onHover }
  })

  useEffect(() => {
    const element = box.current
    if (element === null) return
    const { data: given, ...shown } = latest.current
    const made = new UPlot(optionsFor({ ...shown, shape, isDaily, width: element.clientWidth, height }), given, element)
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = undefined
    }
    // Made anew when its looks change; its data comes through the next effect.
  }, [names, theme, shape, height, isDaily])
  useEffect(() => plot.current?.setData(data))
  return <div ref={box} className={styles['plot']} style={{ height }} aria-hidden="true" />
}

const HEIGHT = 150
const TALL = 250
/** Whole steps only: an axis of counts or milliseconds has no `1 · 1 · 0`. */
const STEPS = [1, 2, 5].flatMap((step) => Array.from({ length: 10 }, (_, zeros) => step * 10 ** zeros))
const INCREMENTS = STEPS.toSorted((a, b) => a - b)

/** Bars stand on each other: the first series is drawn last and the sum of all first. A bar of nothing is not drawn. */
function dataFor(atMs: readonly number[], series: readonly ChartSeries[], shape: Shape): UPlot.AlignedData {
  const times = atMs.map((ms) => ms / 1000)
  if (shape === 'lines') return [times, ...series.map((one) => [...one.values])]
  const sums = series.map((_, last) =>
    atMs.map((_time, index) => {
      const sum = series.slice(0, last + 1).reduce((total, { values }) => total + (values[index] ?? 0), 0)
      return sum === 0 ? null : sum
    }),
  )
  return [times, ...sums.toReversed()]
}

function optionsFor({
  series,
  shape,
  format,
  isDaily,
  width,
  height,
  onHover,
}: {
  series: readonly ChartSeries[]
  shape: Shape
  format: (value: number, largest: number) => string
  /** One bar for each day, or for more. */
  isDaily: boolean
  width: number
  height: number
  onHover: (index: number | null) => void
}): UPlot.Options {
  const style = getComputedStyle(document.documentElement)
  const color = (name: string): string => style.getPropertyValue(name).trim()
  const axis = {
    stroke: color('--text-soft'),
    font: `12px ${color('--sans')}`,
    ticks: { show: false },
    grid: { stroke: color('--line'), width: 1 },
  }
  return {
    width,
    height,
    // Half of the last tick's label stands beyond the plot.
    padding: [8, 24, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: shape === 'lines' } },
    scales: {
      x: { range: (plot, min, max) => withRoom(plot.data[0].length, min, max, shape) },
      y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] },
    },
    axes: [
      {
        ...axis,
        size: 28,
        grid: { show: false },
        ...(isDaily ? { splits: daysUnderBars } : {}),
        values: (_plot, splits, _axis, _space, step) => splits.map((at) => clock(at, step)),
      },
      {
        ...axis,
        size: 62,
        incrs: INCREMENTS,
        values: (_plot, splits) => splits.map((value) => format(value, splits.at(-1) ?? value)),
      },
    ],
    series: [
      {},
      ...(shape === 'bars' ? series.toReversed() : series).map((one) => looksOf(one, shape, color(one.color))),
    ],
    hooks: { setCursor: [(plot) => onHover(plot.cursor.idx ?? null)] },
  }
}

const DAY_MS = 86_400_000
/** Between two days that are written on an axis, in pixels. */
const DAY_WIDTH = 62

/** Bars of days and weeks have their days under them, as many as there is room for, counted from the last one. */
function daysUnderBars(plot: UPlot): number[] {
  const [times] = plot.data
  const every = Math.max(1, Math.ceil((times.length * DAY_WIDTH) / Math.max(1, plot.bbox.width / devicePixelRatio)))
  return [...times].filter((_, index) => (times.length - 1 - index) % every === 0)
}

/** Bars stand on both sides of their moment: the first and the last need room for the other half. */
function withRoom(steps: number, min: number, max: number, shape: Shape): [number, number] {
  const half = shape === 'bars' && steps > 1 ? (max - min) / (steps - 1) / 2 : 0
  return [min - half, max + half]
}

function looksOf(one: ChartSeries, shape: Shape, color: string): UPlot.Series {
  if (shape === 'bars') {
    const paths = UPlot.paths.bars?.({ size: [0.7, 28, 2] })
    return { label: one.label, fill: color, stroke: color, width: 0, points: { show: false }, ...(paths && { paths }) }
  }
  return {
    label: one.label,
    stroke: color,
    width: 1.75,
    // A figure between two unknown ones has no line: its point is what shows it.
    points: { show: one.values.some((value) => value === null), size: 6, fill: color },
    spanGaps: false,
  }
}

const DAY = new Intl.DateTimeFormat(LOCALE, { day: 'numeric', month: 'short' })

function clock(atSeconds: number, stepSeconds: number): string {
  const date = new Date(atSeconds * 1000)
  const two = (n: number): string => String(n).padStart(2, '0')
  if (stepSeconds >= 86_400) return DAY.format(date)
  const time = `${two(date.getHours())}:${two(date.getMinutes())}`
  return stepSeconds >= 60 ? time : `${time}:${two(date.getSeconds())}`
}

function useThemeName(): string {
  const [name, setName] = useState(() => document.documentElement.dataset['theme'] ?? '')
  useEffect(() => {
    const observer = new MutationObserver(() => setName(document.documentElement.dataset['theme'] ?? ''))
    observer.observe(document.documentElement, { attributeFilter: ['data-theme'] })
    return () => observer.disconnect()
  }, [])
  return name
}
