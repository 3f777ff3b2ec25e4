import type { Metrics as Libp2pMetricsInterface } from '@libp2p/interface'
import { Gauge, Histogram, type Registry } from 'prom-client'

/** libp2p's own figures: the interface it reports into. */
export type Libp2pMetrics = Libp2pMetricsInterface

/** Values of a label kept apart in one metric; what comes after them is `other`. Addresses and protocols are few. */
const MAX_VALUES = 64

/** Metrics taken from libp2p and its parts. */
const MAX_METRICS = 200

type Values = Partial<Record<string, number | true>>

/** Numbers by label value; without a label there is one, under ''. */
interface Cells {
  set(key: string, value: number): void
  add(key: string, amount: number): void
  clear(): void
}

interface Options {
  label?: string
  help?: string
  buckets?: number[]
  calculate?: () => unknown
}

/**
 * Shows what libp2p counts as `ocf_libp2p_…`. Reporting costs an addition: Prometheus' own types are filled when they
 * are read. Bytes of single connections are not counted, and nothing is labelled with a peer.
 */
export function createLibp2pMetrics(needs: { registry: Registry }): Libp2pMetrics {
  const { registry } = needs
  const known = new Map<string, Cells>()

  function cellsOf(name: string, options: Options): Cells {
    const shown = shownName(name)
    const existing = known.get(shown)
    // Two of a kind (the DHT of the LAN and of the WAN) share one metric where they share its name.
    if (existing !== undefined) return existing
    const cells = known.size < MAX_METRICS ? createCells(registry, shown, options) : NO_CELLS
    known.set(shown, cells)
    return cells
  }

  const single = (name: string, options: Options = {}) => {
    const cells = cellsOf(name, { ...options, label: undefined })
    return {
      update: (value: number) => cells.set('', value),
      increment: (value = 1) => cells.add('', value),
      decrement: (value = 1) => cells.add('', -value),
      reset: () => cells.clear(),
      timer: () => timed((seconds) => cells.set('', seconds)),
    }
  }

  const group = (name: string, options: Options = {}) => {
    const cells = cellsOf(name, { ...options, label: options.label ?? 'kind' })
    const addAll = (values: Values, sign: number): void => {
      for (const [key, value] of Object.entries(values)) cells.add(key, sign * amountOf(value))
    }
    return {
      update: (values: Values) => {
        for (const [key, value] of Object.entries(values)) cells.set(key, amountOf(value))
      },
      increment: (values: Values) => addAll(values, 1),
      decrement: (values: Values) => addAll(values, -1),
      reset: () => cells.clear(),
      timer: (key: string) => timed((seconds) => cells.set(key, seconds)),
    }
  }

  const histograms = new Map<string, Histogram>()
  const histogramOf = (name: string, options: Options): Histogram => {
    const shown = shownName(name)
    const histogram =
      histograms.get(shown) ??
      new Histogram({
        name: shown,
        help: helpOf(options),
        labelNames: ['kind'],
        registers: histograms.size < MAX_METRICS ? [registry] : [],
        ...(options.buckets === undefined ? {} : { buckets: options.buckets }),
      })
    histograms.set(shown, histogram)
    return histogram
  }

  const observer = (name: string, options: Options = {}) => {
    const histogram = histogramOf(name, options)
    return {
      observe: (value: number) => histogram.observe(value),
      reset: () => histogram.reset(),
      timer: () => timed((seconds) => histogram.observe(seconds)),
    }
  }

  const observerGroup = (name: string, options: Options = {}) => {
    const histogram = histogramOf(name, options)
    const bounded = createBound()
    return {
      observe: (values: Partial<Record<string, number>>) => {
        for (const [key, value] of Object.entries(values)) histogram.observe({ kind: bounded(key) }, value ?? 0)
      },
      reset: () => histogram.reset(),
      timer: (key: string) => timed((seconds) => histogram.observe({ kind: bounded(key) }, seconds)),
    }
  }

  return {
    trackMultiaddrConnection: () => undefined,
    trackProtocolStream: () => undefined,
    registerMetric: single,
    registerMetricGroup: group,
    registerCounter: single,
    registerCounterGroup: group,
    registerHistogram: observer,
    registerHistogramGroup: observerGroup,
    registerSummary: observer,
    registerSummaryGroup: observerGroup,
    traceFunction: <F>(_name: string, traced: F): F => traced,
    createTrace: () => undefined,
  }
}

function createCells(registry: Registry, name: string, options: Options): Cells {
  const { label, calculate } = options
  const values = new Map<string, number>()
  const bounded = createBound()
  const labels = (key: string): Record<string, string> => (label === undefined ? {} : { [labelName(label)]: key })

  const gauge: Gauge = new Gauge({
    name,
    help: helpOf(options),
    labelNames: label === undefined ? [] : [labelName(label)],
    registers: [registry],
    async collect() {
      // A reset would leave a 0 where nothing is known.
      if (label === undefined) gauge.remove()
      else gauge.reset()
      const shown = calculate === undefined ? values : cellsFrom(await calculated(calculate), bounded)
      for (const [key, value] of shown) gauge.set(labels(key), value)
    },
  })

  return {
    set: (key, value) => void values.set(bounded(key), value),
    add(key, amount) {
      const kept = bounded(key)
      values.set(kept, (values.get(kept) ?? 0) + amount)
    },
    clear: () => values.clear(),
  }
}

/** What a calculation gives; nothing when the part it asks has stopped. */
async function calculated(calculate: () => unknown): Promise<unknown> {
  try {
    return await calculate()
  } catch {
    return undefined // Absent figures say it: a scrape must not fail for a part that is stopping.
  }
}

function cellsFrom(result: unknown, bounded: (key: string) => string): Map<string, number> {
  if (typeof result === 'number') return new Map([['', result]])
  const cells = new Map<string, number>()
  if (typeof result !== 'object' || result === null) return cells
  for (const [key, value] of Object.entries(result)) {
    if (typeof value === 'number') cells.set(bounded(key), (cells.get(bounded(key)) ?? 0) + value)
  }
  return cells
}

const NO_CELLS: Cells = { set: () => undefined, add: () => undefined, clear: () => undefined }

/** Keeps the first {@link MAX_VALUES} values apart. */
function createBound(): (key: string) => string {
  const seen = new Set<string>()
  return (key) => {
    if (seen.has(key)) return key
    if (seen.size >= MAX_VALUES) return 'other'
    seen.add(key)
    return key
  }
}

function timed(done: (seconds: number) => void): () => void {
  const startedAt = performance.now()
  return () => done((performance.now() - startedAt) / 1000)
}

const amountOf = (value: number | true | undefined): number => (value === true ? 1 : (value ?? 0))
const labelName = (label: string): string => label.replaceAll(/\W/g, '_')
const helpOf = (options: Options): string => options.help ?? 'Counted by libp2p.'
const shownName = (name: string): string => `ocf_libp2p_${name.replace(/^libp2p_/, '').replaceAll(/\W/g, '_')}`
