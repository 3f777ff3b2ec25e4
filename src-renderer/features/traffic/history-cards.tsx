import { useState } from 'react'
import type { HistoryRange, Percentiles, TrafficHistoryView } from '#shared/contract/node/traffic.js'
import { ended, totalsOf } from '../../stores/traffic-figures.js'
import { useHistory } from '../../stores/use-history.js'
import { formatCompact, formatMs } from '../../strings/format.js'
import { strings } from '../../strings.js'
import { Chart } from '../../ui/charts/chart.js'
import { Segmented } from '../../ui/controls/segmented.js'
import { FeedView } from '../../ui/feedback/feed-view.js'
import { Card } from '../../ui/layout/card.js'
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
      <FeedView state={state}>{(history) => <Cards history={history} />}</FeedView>
    </>
  )
}

function Cards({ history }: { history: TrafficHistoryView }) {
  const { points } = history
  const atMs = points.map((point) => point.atMs)
  const totals = totalsOf(points)
  const sum = totals.ok + totals.failed + totals.cancelled
  const { chart } = words
  return (
    <div className={styles['cards']}>
      <Card title={chart.requests} aside={<small>{chart.requestsUnit(words.step(history.stepMs))}</small>}>
        <Chart
          label={chart.summary(chart.requests, String(sum))}
          atMs={atMs}
          format={formatCompact}
          series={[
            { label: words.direction.out, color: '--series-1', values: points.map((point) => ended(point.out)) },
            { label: words.direction.in, color: '--series-2', values: points.map((point) => ended(point.in)) },
            { label: words.direction.local, color: '--series-3', values: points.map((point) => ended(point.local)) },
            {
              label: chart.failed,
              color: '--bad',
              values: points.map((point) => point.out.failed + point.in.failed + point.local.failed),
            },
          ]}
        />
      </Card>
      <Card title={chart.latency}>
        <Chart
          label={chart.summary(chart.latency, history.ttfbMs === null ? strings.unknown : formatMs(history.ttfbMs.p50))}
          atMs={atMs}
          format={formatMs}
          series={[
            { label: 'p50', color: '--series-1', values: points.map((point) => point.ttfbMs?.p50 ?? null) },
            { label: 'p95', color: '--series-3', values: points.map((point) => point.ttfbMs?.p95 ?? null) },
          ]}
        />
      </Card>
      <Card title={chart.tokens}>
        <Chart
          label={chart.summary(chart.tokens, String(totals.tokensUsed + totals.tokensGiven))}
          atMs={atMs}
          format={formatCompact}
          series={[
            { label: chart.used, color: '--series-1', values: points.map((point) => point.out.tokensOut) },
            { label: chart.given, color: '--series-2', values: points.map((point) => point.in.tokensOut) },
          ]}
        />
      </Card>
      <Card title={words.figures} aside={<small title={words.percentiles.hint}>p50 · p90 · p95 · p99</small>}>
        <dl className={styles['figures']}>
          <Figure name={words.total.ok} value={formatCompact(totals.ok)} />
          <Figure name={words.total.failed} value={formatCompact(totals.failed)} />
          <Figure name={words.total.cancelled} value={formatCompact(totals.cancelled)} />
          <Figure name={words.total.tokensUsed} value={formatCompact(totals.tokensUsed)} />
          <Figure name={words.total.tokensGiven} value={formatCompact(totals.tokensGiven)} />
          <Figure name={words.percentiles.ttfb} value={percentileText(history.ttfbMs)} />
          <Figure name={words.percentiles.duration} value={percentileText(history.durationMs)} />
        </dl>
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

function percentileText(percentiles: Percentiles): string {
  if (percentiles === null) return strings.unknown
  const { p50, p90, p95, p99 } = percentiles
  return [p50, p90, p95, p99].map(formatMs).join(' · ')
}

function Errors({ errors }: { errors: TrafficHistoryView['errors'] }) {
  if (errors.length === 0) return words.noErrors
  const most = Math.max(...errors.map((error) => error.count))
  return (
    <ul className={styles['errors']}>
      {errors.map(({ code, count }) => (
        <li key={code}>
          <span className={styles['count']}>{count}</span>
          <span className={styles['cause']}>
            {causeOf(code)} <code>{code}</code>
          </span>
          <span className={styles['track']}>
            <span className={styles['bar']} style={{ width: `${(count / most) * 100}%` }} />
          </span>
        </li>
      ))}
    </ul>
  )
}
