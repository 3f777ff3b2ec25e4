/** What a peer offers, each once, without the `llm:model=` that models have. */
export function offerNames(offers: readonly string[]): string[] {
  return [...new Set(offers.map((offer) => offer.replace(/^llm:(model=)?/, '')))]
}
