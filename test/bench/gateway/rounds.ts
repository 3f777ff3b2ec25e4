/**
 * Measures each cell once a round; every other round runs backwards, so that a drift of the machine hits all alike.
 * The answers of a cell stand in the order of the rounds.
 */
export async function inRounds<C, R>(
  rounds: number,
  cells: readonly C[],
  measure: (cell: C) => Promise<R>,
): Promise<Map<C, R[]>> {
  const results = new Map<C, R[]>(cells.map((cell) => [cell, []]))
  for (let round = 0; round < rounds; round += 1) {
    for (const cell of round % 2 === 0 ? cells : cells.toReversed()) results.get(cell)?.push(await measure(cell))
  }
  return results
}
