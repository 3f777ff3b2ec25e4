const MAX_SHOWN = 3
const MAX_LENGTH = 64

/** The names of `known` that a person who wrote `name` may have meant, best first; at most three. */
export function nearNames(name: string, known: readonly string[]): string[] {
  if (name.length > MAX_LENGTH) return []
  const wanted = plain(name)
  return known
    .map((candidate) => ({ candidate, distance: distanceTo(wanted, candidate) }))
    .filter(({ candidate, distance }) => distance <= Math.max(1, Math.floor(candidate.length / 3)))
    .sort((a, b) => a.distance - b.distance)
    .slice(0, MAX_SHOWN)
    .map(({ candidate }) => candidate)
}

/** ` Did you mean a or b?` with a leading space, or the empty string. */
export function didYouMean(names: readonly string[]): string {
  return names.length === 0 ? '' : ` Did you mean ${names.join(' or ')}?`
}

/** `dataDir`, `data_dir` and `data-dir` are the same slip; `health-path` means `service.health-path`. */
function distanceTo(wanted: string, candidate: string): number {
  const whole = editDistance(wanted, plain(candidate))
  const lastPart = candidate.slice(candidate.lastIndexOf('.') + 1)
  return lastPart === candidate ? whole : Math.min(whole, editDistance(wanted, plain(lastPart)) + 1)
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column)
  for (let row = 1; row <= a.length; row++) {
    const current = [row]
    for (let column = 1; column <= b.length; column++) {
      const substitution = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1)
      current.push(Math.min(substitution, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1))
    }
    previous = current
  }
  return previous[b.length] ?? 0
}
