import type { BenchOptions } from '../../run.ts'
import type { Figure } from '../figures.ts'
import type { Ends, NodePair, Transport } from '../topology.ts'

/** What a row is measured with. */
export interface Bench {
  ends: Ends
  pair: NodePair
  transport: Transport
  cipher: 'default' | 'wasm'
  options: BenchOptions
}

/** Measures one row of the bench. */
export type Row = (bench: Bench) => Promise<Figure[]>
