import { median, percentile } from '../../statistics.ts'
import { difference, perRound, ratio, type Figure, type Goal } from '../figures.ts'
import type { TokenStreamsResult } from '../load/token-streams.ts'
import { inRounds } from '../rounds.ts'
import { WAYS, type Way } from '../topology.ts'
import type { Bench } from './row.ts'

const TOKENS = 200
const EVERY_MS = 5
/** Streams at a time, and what a token may take longer through two gateways than straight. */
const STREAMS = [1, 100]
const ADDED: Record<number, Goal> = { 1: { atMost: 0.6 }, 100: { atMost: 4 } }
const TOTAL: Goal = { atMost: 1.02 }

interface Cell {
  way: Way
  streams: number
}

/** Tokens that carry the time they left the server. */
export async function tokensRow(bench: Bench, row = 'sse', streams = STREAMS): Promise<Figure[]> {
  const { ends, pair, options } = bench
  const cells = streams.flatMap((count) => WAYS.map((way): Cell => ({ way, streams: count })))
  const load = ({ way, streams: count }: Cell): Promise<TokenStreamsResult> =>
    ends.client.load<TokenStreamsResult>({
      ...{ kind: 'tokens', url: pair.url(way, '/v1/chat/completions') },
      ...{ streams: count, tokens: TOKENS, everyMs: EVERY_MS },
    })
  // Once before anything counts, as the other rows do: connections are made and hot code is compiled.
  for (const cell of cells) await load(cell)
  const results = await inRounds(options.rounds, cells, load)
  return cells.flatMap((cell): Figure[] => {
    const of = (way: Way, read: (result: TokenStreamsResult) => number): number[] => {
      const found = cells.find((other) => other.way === way && other.streams === cell.streams)
      return found === undefined ? [] : (results.get(found) ?? []).map(read)
    }
    const name = `${cell.streams} × ${TOKENS} tokens, ${cell.way}`
    const p50 = ({ delaysMs }: TokenStreamsResult): number => percentile(delaysMs, 50)
    const p99 = ({ delaysMs }: TokenStreamsResult): number => percentile(delaysMs, 99)
    const total = ({ totalsMs }: TokenStreamsResult): number => median(totalsMs)
    const failed = of(cell.way, (result) => result.failed).reduce((sum, count) => sum + count, 0)
    const failures: Figure[] =
      failed === 0 ? [] : [{ row, name: `${name}: failed`, unit: '', samples: [failed], goal: { atMost: 0 } }]
    if (cell.way === 'direct') {
      return [
        { row, name: `${name}: on its way p50`, unit: 'ms', samples: of('direct', p50) },
        { row, name: `${name}: on its way p99`, unit: 'ms', samples: of('direct', p99) },
        { row, name: `${name}: total`, unit: 'ms', samples: of('direct', total) },
        ...failures,
      ]
    }
    const withGoals = row === 'sse'
    const added = perRound(of(cell.way, p50), of('direct', p50), difference)
    const totals = perRound(of(cell.way, total), of('direct', total), ratio)
    const addedGoal = ADDED[cell.streams]
    return [
      {
        row,
        name: `${name}: added p50`,
        unit: 'ms',
        samples: added,
        ...(withGoals && addedGoal ? { goal: addedGoal } : {}),
      },
      {
        row,
        name: `${name}: added p99`,
        unit: 'ms',
        samples: perRound(of(cell.way, p99), of('direct', p99), difference),
      },
      { row, name: `${name}: total, of direct`, unit: '', samples: totals, ...(withGoals ? { goal: TOTAL } : {}) },
      ...failures,
    ]
  })
}
