import { setTimeout as pause } from 'node:timers/promises'
import type { BenchNode } from '../processes.ts'

type Rows = Record<string, { service: unknown }>

/** What is wrong with the nodes' tables: each has to hold one row of each, as its owner has it. Gives them `limitMs`. */
export async function problemsOfTables(nodes: readonly BenchNode[], limitMs: number): Promise<string[]> {
  const until = performance.now() + limitMs
  for (;;) {
    const problems = await compare(nodes)
    if (problems.length === 0 || performance.now() > until) return problems
    await pause(500)
  }
}

async function compare(nodes: readonly BenchNode[]): Promise<string[]> {
  const tables = await Promise.all(nodes.map((node) => rowsOf(node)))
  const own = new Map(nodes.map(({ peerId }, index) => [`/${peerId}`, offers(tables[index]?.[`/${peerId}`])]))
  const problems: string[] = []
  for (const [index, table] of tables.entries()) {
    const missing = [...own].filter(([key]) => table[key] === undefined).length
    const strange = Object.keys(table).filter((key) => !own.has(key)).length
    const old = [...own].filter(([key, row]) => table[key] !== undefined && offers(table[key]) !== row).length
    if (missing + strange + old === 0) continue
    problems.push(`${nodes[index]?.peerId ?? ''} misses ${missing} rows, has ${strange} of nobody and ${old} old ones`)
  }
  return problems
}

async function rowsOf({ gateway }: BenchNode): Promise<Rows> {
  const response = await fetch(`${gateway}/v1/dnt/table?all=1`)
  return (await response.json()) as Rows
}

const offers = (row: Rows[string] | undefined): string => JSON.stringify(row?.service)
