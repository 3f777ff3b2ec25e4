import { percentile } from '../../statistics.ts'
import { difference, perRound, ratio, type Figure } from '../figures.ts'
import type { LoadResult } from '../load/echo.ts'
import { inRounds } from '../rounds.ts'
import { WAYS, type Way } from '../topology.ts'
import type { Bench } from './row.ts'

/** Of a node that has just started: its code is compiled while they pass. */
const WARM_UP_REQUESTS = 10_000
const LOAD = { requests: 1_000, warmUps: 100, concurrency: 50 }

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/**
 * What the Go implementation's benchmark script does, with an ordinary client. Of that implementation it reports
 * 0.55–0.65 of the direct throughput, a mean 10–15 ms higher and a p90 of 7 × p50.
 */
export async function scriptRow({ ends, pair, options }: Bench): Promise<Figure[]> {
  const row = 'script'
  for (const way of WAYS) {
    await ends.client.load<LoadResult>({
      kind: 'script',
      url: pair.url(way, '/v1/echo'),
      ...LOAD,
      requests: WARM_UP_REQUESTS,
    })
  }
  const results = await inRounds(options.rounds, WAYS, (way) =>
    ends.client.load<LoadResult>({ kind: 'script', url: pair.url(way, '/v1/echo'), ...LOAD }),
  )
  const of = (way: Way, read: (result: LoadResult) => number): number[] => (results.get(way) ?? []).map(read)
  const rate = ({ latenciesMs, elapsedMs }: LoadResult): number => (latenciesMs.length / elapsedMs) * 1000
  const meanMs = ({ latenciesMs }: LoadResult): number => mean(latenciesMs)
  const at =
    (p: number) =>
    ({ latenciesMs }: LoadResult): number =>
      percentile(latenciesMs, p)
  return WAYS.flatMap((way): Figure[] => {
    const failed = of(way, (result) => result.failed).reduce((sum, count) => sum + count, 0)
    return [
      { row, name: `${way}: requests`, unit: '1/s', samples: of(way, rate) },
      ...(way === 'direct' ? [] : comparedToDirect(way)),
      { row, name: `${way}: mean`, unit: 'ms', samples: of(way, meanMs) },
      ...[50, 90, 99].map((p): Figure => ({ row, name: `${way}: p${p}`, unit: 'ms', samples: of(way, at(p)) })),
      ...(failed === 0
        ? []
        : [{ row, name: `${way}: failed`, unit: '', samples: [failed], goal: { atMost: 0 } } as const]),
    ]
  })

  function comparedToDirect(way: Way): Figure[] {
    const tail = perRound(of(way, at(90)), of(way, at(50)), ratio)
    return [
      {
        row,
        name: `${way}: throughput, of direct`,
        unit: '',
        samples: perRound(of(way, rate), of('direct', rate), ratio),
      },
      {
        row,
        name: `${way}: added mean`,
        unit: 'ms',
        samples: perRound(of(way, meanMs), of('direct', meanMs), difference),
      },
      { row, name: `${way}: p90 / p50`, unit: '', samples: tail, goal: { atMost: 2 } },
    ]
  }
}
