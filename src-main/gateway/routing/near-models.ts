import { nearNames } from '../../config/index.js'

/** Ids that are compared letter by letter, at most: some 30 ms. */
const MAX_COMPARED = 500

/** Model ids a person may have meant: those that contain what was written, then those a slip or two away. */
export function nearModels(wanted: string, known: readonly string[]): string[] {
  const text = wanted.toLowerCase()
  const containing =
    text.length < 3 ? [] : known.filter((id) => id.toLowerCase().includes(text) || text.includes(id.toLowerCase()))
  const alike = known.filter(({ length }) => length <= 2 * wanted.length + 8).slice(0, MAX_COMPARED)
  return [...new Set([...containing, ...nearNames(wanted, alike)])].slice(0, 3)
}
