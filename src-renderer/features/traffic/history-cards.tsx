import { useState } from 'react'
import type { HistoryPoint, HistoryRange, Percentiles, TrafficHistoryView } from '#shared/contract/node/traffic.js'
import { ended, totalsOf } from '../../stores/traffic-figures.js'
import { useHistory } from '../../stores/use-history.js'
import { strings } from '../../strings/all.js'
import { formatCompact, formatMs, formatMsLike, formatNumber } from '../../strings/format.js'
import { Chart } from '../../ui/charts/chart.js'
import { FeedView } from '../../ui/feedback/feed-view.js'
import { Segmented } from '../../ui/inputs/segmented.js'
import { Card } from '../../ui/layout/card.js'
import { Visible } from '../../ui/text/visible.js'
import { causeOf } from './cause.js'
import styles from './history-cards.module.css'

const { traffic: words } = strings
const RANGES: readonly HistoryRange[] = ['5m', '1h', '24h', '30d']

/** Charts, percentiles and errors over a range of time. */
export function HistoryCards() {
  const [range, setRange] = useState<HistoryRange>('1h')
  const state = useHistory(range)
  return (
    <>
      <Segmented
        label={words.range.label}
        options={RANGES.map((value) => ({ value, label: words.range[value] }))}
        value={range}
        onChange={setRange}
      />
      <div className={styles['room']}>
        <FeedView state={state}>{(history) => <Cards history={history} />}</FeedView>
      </div>
    </>
  )
}

/** Fewer steps than these make bars as wide as a hand. */
const FEWEST_STEPS = 12

/** Without the empty time before the first request. */
function fitted(points: readonly HistoryPoint[]): readonly HistoryPoint[] {
  const first = points.findIndex(({ out, in: inward, local }) => ended(out) + ended(inward) + ended(local) > 0)
  if (first <= 0) return points
  return points.slice(Math.max(0, Math.min(first - 1, points.length - FEWEST_STEPS)))
}

/** Each has its colour in all charts. */
const DIRECTIONS = [
  { direction: 'out', color: '--series-1' },
  { direction: 'in', color: '--series-2' },
  { direction: 'local', color: '--series-3' },
] as const

const answered = ({ ok, cancelled }: HistoryPoint['out']): number => ok + cancelled
const count = (value: number): string => formatCompact(value)

function Cards({ history }: { history: TrafficHistoryView }) {
  const points = fitted(history.points)
  const atMs = points.map((point) => point.atMs)
  const totals = totalsOf(points)
  const sum = totals.ok + totals.failed + totals.cancelled
  const { chart } = words
  const unit = <small>{chart.requestsUnit(words.step(history.stepMs))}</small>
  return (
    <div className={styles['cards']}>
      <Card title={chart.requests} aside={unit}>
        <Chart
          label={chart.summary(chart.requests, String(sum))}
          atMs={atMs}
          format={count}
          shape="bars"
          none={chart.none}
          series={[
            ...DIRECTIONS.map(({ direction, color }) => ({
              label: words.direction[direction],
              color,
              values: points.map((point) => answered(point[direction])),
            })),
            {
              label: chart.failed,
              color: '--bad',
              values: points.map((point) => point.out.failed + point.in.failed + point.local.failed),
            },
          ]}
        />
      </Card>
      <Card title={chart.tokens} aside={unit}>
        <Chart
          label={chart.summary(chart.tokens, String(totals.tokensUsed + totals.tokensGiven))}
          atMs={atMs}
          format={count}
          shape="bars"
          none={chart.none}
          series={[
            { label: chart.used, color: '--series-1', values: points.map((point) => point.out.tokensOut) },
            { label: chart.given, color: '--series-2', values: points.map((point) => point.in.tokensOut) },
          ]}
        />
      </Card>
      <Card title={chart.latency} aside={<small>{chart.latencyOf}</small>}>
        <Chart
          label={chart.summary(chart.latency, history.ttfbMs === null ? strings.unknown : formatMs(history.ttfbMs.p50))}
          atMs={atMs}
          format={formatMsLike}
          shape="lines"
          isTall
          none={chart.none}
          series={[
            ...DIRECTIONS.map(({ direction, color }) => ({
              label: words.direction[direction],
              color,
              values: points.map((point) => point.ttfbOfMs[direction]?.p50 ?? null),
            })),
            { label: chart.slow, color: '--series-4', values: points.map((point) => point.ttfbMs?.p95 ?? null) },
          ]}
        />
      </Card>
      <Card title={words.figures}>
        <dl className={styles['figures']}>
          <Figure name={words.total.ok} value={formatCompact(totals.ok)} />
          <Figure name={words.total.failed} value={formatCompact(totals.failed)} />
          <Figure name={words.total.cancelled} value={formatCompact(totals.cancelled)} />
          <Figure name={words.total.tokensUsed} value={formatCompact(totals.tokensUsed)} />
          <Figure name={words.total.tokensGiven} value={formatCompact(totals.tokensGiven)} />
        </dl>
        <PercentileTable history={history} />
      </Card>
      <div className={styles['wide']}>
        <Card title={words.errors}>
          <Errors errors={history.errors} />
        </Card>
      </div>
    </div>
  )
}

function Figure({ name, value }: { name: string; value: string }) {
  return (
    <div className={styles['figure']}>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  )
}

const SHARES = ['p50', 'p90', 'p95', 'p99'] as const

/** How long requests took: half of them, nine of ten, and so on. */
function PercentileTable({ history: { ttfbMs, ttfbOfMs, durationMs } }: { history: TrafficHistoryView }) {
  const { percentiles } = words
  const apart = DIRECTIONS.filter(({ direction }) => ttfbOfMs[direction] !== null)
  const rows: [name: string, values: Percentiles][] = [
    [percentiles.ttfb, ttfbMs],
    // Of one direction alone the line above says the same.
    ...(apart.length < 2 ? [] : apart).map(({ direction }): [string, Percentiles] => [
      percentiles.of[direction],
      ttfbOfMs[direction],
    ]),
    [percentiles.duration, durationMs],
  ]
  return (
    <table className={styles['percentiles']} aria-label={percentiles.label}>
      <thead>
        <tr>
          <th scope="col">{percentiles.label}</th>
          {SHARES.map((share) => (
            <th key={share} scope="col" title={percentiles.hint(Number(share.slice(1)))}>
              {share}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(([name, values]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            {SHARES.map((share) => (
              <td key={share}>{values === null ? strings.unknown : formatMs(values[share])}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Errors({ errors }: { errors: TrafficHistoryView['errors'] }) {
  if (errors.length === 0) return words.noErrors
  const most = Math.max(...errors.map((error) => error.count))
  return (
    <ul className={styles['errors']}>
      {errors.map(({ code, count: times }) => (
        <li key={code}>
          <span className={styles['count']}>{formatNumber(times)}</span>
          <span className={styles['cause']}>
            <Visible text={causeOf(code)} />{' '}
            <code>
              <Visible text={code} />
            </code>
          </span>
          <span className={styles['track']}>
            <span className={styles['bar']} style={{ width: `${(times / most) * 100}%` }} />
          </span>
        </li>
      ))}
    </ul>
  )
}
