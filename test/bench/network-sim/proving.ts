import type { Network } from './network.js'

/** Questions to owners that were never met, a second at most, in partial and in whole tables: see prover.ts. */
const ASKED_PER_S = { partial: 1 / 120, whole: 4 }
/** Known providers of the same that make a question needless; the row itself is one more. */
const ENOUGH_PROVIDERS = 2

/** Whether the prover would ask an owner whose row has just come: hardly anybody is known to offer the same. */
export function isWorthAsking({ observers, population }: Network, node: number, owner: number): boolean {
  const offers = observers.view(node)?.offers
  return (population.models[owner] ?? []).some(
    (model) => (offers?.providers('llm', `model=m${String(model)}`).size ?? 0) <= ENOUGH_PROVIDERS,
  )
}

/** Questions to owners that were never met, a second and node, since things are counted. */
export function askedPerS(network: Network): number {
  const { observers, counted, scenario } = network
  const isPartial = observers.nodes.some((node) => network.isPartial(node))
  const perS = counted.proved / observers.nodes.length / (scenario.measureMs / 1000)
  return Math.min(perS, isPartial ? ASKED_PER_S.partial : ASKED_PER_S.whole)
}
