import { benchRows } from './bench.ts'

// What rows cost, alone: node test/bench/table/rows.ts [rows]

await benchRows(Number(process.argv[2] ?? 10_000))
