import type { Figure } from '../figures.ts'
import { nodeOptionsOf, startNodePair, type Transport } from '../topology.ts'
import { downloadRow } from './download.ts'
import { echoRow } from './echo.ts'
import type { Bench } from './row.ts'
import { tokensRow } from './tokens.ts'

const ROUNDS = 3

/** The same way over one other transport or with another cipher, without goals. */
export const otherWayRow =
  (row: string, transport: Transport, cipher: Bench['cipher']) =>
  async ({ ends, options }: Bench): Promise<Figure[]> => {
    const pair = await startNodePair(ends, nodeOptionsOf({ transport, cipher, options }))
    const bench: Bench = {
      ends,
      pair,
      transport,
      cipher,
      options: { ...options, rounds: Math.min(options.rounds, ROUNDS) },
    }
    try {
      return [
        ...(await echoRow(bench, row, [1, 64])),
        ...(await tokensRow(bench, row, [100])),
        ...(await downloadRow(bench, row, 1)),
      ].filter(({ name }) => !name.includes('direct:') && !name.includes(' local') && !name.endsWith(', direct'))
    } finally {
      await pair.stop()
    }
  }
