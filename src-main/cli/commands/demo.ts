import { quote, type SettingProblem } from '../../config/index.js'
import type { SettingName } from '../../config/index.js'

/** Nodes a demo network has by default. */
export const DEFAULT_DEMO_NODES = 3
const MIN_NODES = 2
const MAX_NODES = 16

/** The settings that make sense for a whole demo network; they go to the node the person uses. */
export const DEMO_SETTINGS: SettingName[] = ['port', 'api-port', 'config', 'log-format', 'demo-model.tokens-per-second']

/** How many nodes `--nodes` asks for; not a number where it asks for something else. */
export function readNodes(raw: unknown): number {
  if (raw === undefined) return DEFAULT_DEMO_NODES
  return typeof raw === 'string' && /^\d+$/.test(raw) ? Number(raw) : Number.NaN
}

/** What is wrong with the options that only `demo` has. */
export function nodesProblems(own: Readonly<Record<string, unknown>>): SettingProblem[] {
  const nodes = readNodes(own.nodes)
  if (nodes >= MIN_NODES && nodes <= MAX_NODES) return []
  const given = typeof own.nodes === 'string' ? `${quote(own.nodes)} is not` : 'It needs'
  return [{ source: 'flag --nodes', sentence: `${given} a whole number from ${MIN_NODES} to ${MAX_NODES}.` }]
}
