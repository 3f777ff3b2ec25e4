import type { Figure } from '../figures.ts'
import { ECHO_BYTES, type LoadResult } from '../load/echo.ts'
import { COUNT_STREAM_BYTES, startNodePair } from '../topology.ts'
import type { Bench } from './row.ts'

interface Counted {
  sent: number
  received: number
}

const CELL_MS = 500

/** What a request costs on the peer's stream beside its body: counted in the asking node, before encryption. */
export async function streamBytesRow({ ends, transport, options }: Bench): Promise<Figure[]> {
  const row = 'bytes'
  const pair = await startNodePair(ends, { transport, imports: [COUNT_STREAM_BYTES] })
  const load = { kind: 'echo', url: pair.url('remote', '/v1/echo'), concurrency: 1, durationMs: CELL_MS } as const
  const out: number[] = []
  const back: number[] = []
  try {
    // What agreeing on a protocol costs is paid once a stream, not once a request.
    await ends.client.load<LoadResult>(load)
    for (let round = 0; round < options.rounds; round += 1) {
      const before = await pair.a.ask<Counted>({})
      const { latenciesMs } = await ends.client.load<LoadResult>(load)
      const after = await pair.a.ask<Counted>({})
      out.push((after.sent - before.sent) / latenciesMs.length - ECHO_BYTES)
      back.push((after.received - before.received) / latenciesMs.length - ECHO_BYTES)
    }
  } finally {
    await pair.stop()
  }
  return [
    { row, name: 'beside the body, out', unit: 'B', samples: out, goal: { atMost: 350 } },
    { row, name: 'beside the body, back', unit: 'B', samples: back, goal: { atMost: 120 } },
  ]
}
