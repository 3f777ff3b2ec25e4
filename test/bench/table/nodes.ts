import { benchNodes } from './bench.ts'

// What whole nodes cost, alone: node test/bench/table/nodes.ts [nodes] [seconds]

await benchNodes(Number(process.argv[2] ?? 10), 1_000 * Number(process.argv[3] ?? 60))
