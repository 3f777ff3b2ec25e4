import type { Figure, Goal } from '../figures.ts'
import type { HeldStreamsResult } from '../load/held-streams.ts'
import { watchMemory } from '../process-usage.ts'
import type { Bench } from './row.ts'

const STREAMS = 1_000
/** Slow enough that 1,000 of them leave the machine room: it is streams that are measured, not tokens. */
const EVERY_MS = 500
/** Opening takes about a second; each stream then lives as long as was asked for. */
const WARM_UP = { streams: 50, tokens: 4, everyMs: 100 }

/** Many streams open at the same time through two gateways: none may fail, and what each costs in memory. */
export async function heldStreamsRow({ ends, pair, options }: Bench): Promise<Figure[]> {
  const row = 'streams'
  const url = pair.url('remote', '/v1/chat/completions')
  await ends.client.load<HeldStreamsResult>({ kind: 'held', url, ...WARM_UP })
  const memory = watchMemory([pair.a.pid, pair.b.pid])
  const tokens = Math.max(2, Math.round(options.holdMs / EVERY_MS))
  const result = await ends.client.load<HeldStreamsResult>({
    ...{ kind: 'held', url, streams: STREAMS, tokens, everyMs: EVERY_MS },
  })
  const [a = Number.NaN, b = Number.NaN] = memory.stop().map((grown) => grown / STREAMS)
  for (const error of result.errors) console.log(`a held stream failed: ${error}`)
  const name = `${STREAMS} for ${options.holdMs / 1000} s, remote`
  const perStream: Goal = { atMost: 100 }
  return [
    { row, name: `${name}: errors`, unit: '', samples: [result.failed], goal: { atMost: 0 } },
    { row, name: `${name}: memory a stream, gateway A`, unit: 'KiB', samples: [a], goal: perStream },
    { row, name: `${name}: memory a stream, gateway B`, unit: 'KiB', samples: [b], goal: perStream },
  ]
}
