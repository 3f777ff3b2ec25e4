import { useEffect, useRef, useState } from 'react'
import UPlot from 'uplot'
import styles from './chart.module.css'
import 'uplot/dist/uPlot.min.css'

/** One line; its colour is a custom property of the theme. */
export interface ChartSeries {
  label: string
  color: string
  values: readonly (number | null)[]
}

/** Figures over time. Hovering tells those of one moment. */
export function Chart({
  label,
  atMs,
  series,
  format,
}: {
  /** What it shows, for those who can't see it. */
  label: string
  atMs: readonly number[]
  series: readonly ChartSeries[]
  format: (value: number) => string
}) {
  const box = useRef<HTMLDivElement>(null)
  const plot = useRef<UPlot>(undefined)
  const [hovered, setHovered] = useState<number | null>(null)
  const theme = useThemeName()
  const names = series.map((one) => one.label).join('\n')
  const data = dataFor(atMs, series)
  const latest = useRef({ data, series, format })
  useEffect(() => {
    latest.current = { data, series, format }
  })

  useEffect(() => {
    const element = box.current
    if (element === null) return
    const { series: shown, format: written, data: first } = latest.current
    const made = new UPlot(optionsFor(shown, written, element.clientWidth, setHovered), first, element)
    plot.current = made
    const observer = new ResizeObserver(() => made.setSize({ width: element.clientWidth, height: HEIGHT }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      made.destroy()
      plot.current = undefined
    }
    // Made anew when its looks change; its data comes through the next effect.
  }, [names, theme])
  useEffect(() => plot.current?.setData(data))

  return (
    <figure className={styles['chart']} aria-label={label}>
      <figcaption className={styles['legend']}>
        {series.map((one) => {
          const value = hovered === null ? undefined : one.values[hovered]
          return (
            <span key={one.label} className={styles['name']}>
              <span className={styles['dot']} style={{ background: `var(${one.color})` }} />
              {one.label}
              {value != null && <strong>{format(value)}</strong>}
            </span>
          )
        })}
      </figcaption>
      <div ref={box} className={styles['plot']} aria-hidden="true" />
    </figure>
  )
}

const HEIGHT = 150

function dataFor(atMs: readonly number[], series: readonly ChartSeries[]): UPlot.AlignedData {
  return [atMs.map((ms) => ms / 1000), ...series.map((one) => [...one.values])]
}

function optionsFor(
  series: readonly ChartSeries[],
  format: (value: number) => string,
  width: number,
  onHover: (index: number | null) => void,
): UPlot.Options {
  const style = getComputedStyle(document.documentElement)
  const color = (name: string): string => style.getPropertyValue(name).trim()
  const axis = {
    stroke: color('--text-soft'),
    font: `11px ${color('--sans')}`,
    ticks: { show: false },
    grid: { stroke: color('--line'), width: 1 },
  }
  return {
    width,
    height: HEIGHT,
    padding: [8, 12, 0, 0],
    legend: { show: false },
    cursor: { y: false, drag: { x: false, y: false }, points: { show: true } },
    scales: { y: { range: (_plot, _min, max) => [0, max > 0 ? max * 1.1 : 1] } },
    axes: [
      {
        ...axis,
        size: 28,
        grid: { show: false },
        values: (_plot, splits, _axis, _space, step) => splits.map((at) => clock(at, step)),
      },
      { ...axis, size: 56, values: (_plot, splits) => splits.map(format) },
    ],
    series: [
      {},
      ...series.map((one) => ({
        label: one.label,
        stroke: color(one.color),
        width: 1.75,
        // A figure between two unknown ones has no line: its point is what shows it.
        points: { show: one.values.some((value) => value === null), size: 6, fill: color(one.color) },
        spanGaps: false,
      })),
    ],
    hooks: { setCursor: [(plot) => onHover(plot.cursor.idx ?? null)] },
  }
}

function clock(atSeconds: number, stepSeconds: number): string {
  const date = new Date(atSeconds * 1000)
  const two = (n: number): string => String(n).padStart(2, '0')
  if (stepSeconds >= 86_400) return `${date.getMonth() + 1}/${date.getDate()}`
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
