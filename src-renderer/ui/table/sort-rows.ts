/** What a row is sorted by; null goes to the end, whichever way. */
export type SortKey = number | string | null

/** The column rows are sorted by, and which way. */
export interface Sorting {
  column: string
  descending: boolean
}

/** A new list in that order; rows that are equal keep theirs. */
export function sortRows<Row>(rows: readonly Row[], keyOf: (row: Row) => SortKey, descending: boolean): Row[] {
  return rows
    .map((row) => ({ row, key: keyOf(row) }))
    .sort((a, b) => {
      if (a.key === null || b.key === null) return Number(a.key === null) - Number(b.key === null)
      return (descending ? -1 : 1) * compare(a.key, b.key)
    })
    .map(({ row }) => row)
}

/** After a click on a column's head: its own first way, then the other, then as they came. */
export function nextSorting(
  now: Sorting | undefined,
  column: string,
  { descendingFirst }: { descendingFirst: boolean },
): Sorting | undefined {
  if (now?.column !== column) return { column, descending: descendingFirst }
  return now.descending === descendingFirst ? { column, descending: !descendingFirst } : undefined
}

function compare(a: number | string, b: number | string): number {
  return typeof a === 'number' && typeof b === 'number' ? a - b : String(a).localeCompare(String(b), 'en')
}
