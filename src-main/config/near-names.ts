const MAX_SHOWN = 3
const MAX_LENGTH = 64

/** The names of `known` that a person who wrote `name` most likely meant; at most three, none when nothing is near. */
export function nearNames(name: string, known: readonly string[]): string[] {
  if (name.length > MAX_LENGTH) return []
  const wanted = plain(name)
  const distances = known.map((candidate) => ({ candidate, distance: distanceTo(wanted, candidate) }))
  const near = distances.filter(({ distance }) => distance <= Math.max(1, Math.floor(wanted.length / 3)))
  const best = Math.min(...near.map(({ distance }) => distance))
  return near
    .filter(({ distance }) => distance === best)
    .slice(0, MAX_SHOWN)
    .map(({ candidate }) => candidate)
}

/** ` Did you mean a or b?` with a leading space, or the empty string. */
export function didYouMean(names: readonly string[]): string {
  return names.length === 0 ? '' : ` Did you mean ${names.join(' or ')}?`
}

/** `dataDir`, `data_dir` and `data-dir` are the same slip; `health-path` means `service.health-path`. */
function distanceTo(wanted: string, candidate: string): number {
  const lastPart = candidate.slice(candidate.lastIndexOf('.') + 1)
  const distance = editDistance(wanted, plain(candidate))
  return plain(lastPart) === wanted ? Math.min(distance, 1) : distance
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
}

/** Insertions, deletions, substitutions and swaps of two neighbours, each counting one. */
function editDistance(a: string, b: string): number {
  const rows: number[][] = [Array.from({ length: b.length + 1 }, (_, column) => column)]
  const at = (row: number, column: number): number => rows[row]?.[column] ?? Number.POSITIVE_INFINITY
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    rows.push(current)
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1]
      const swapped = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1]
      current.push(
        Math.min(
          at(row - 1, column - 1) + (same ? 0 : 1),
          at(row - 1, column) + 1,
          at(row, column - 1) + 1,
          swapped ? at(row - 2, column - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      )
    }
  }
  return at(a.length, b.length)
}
