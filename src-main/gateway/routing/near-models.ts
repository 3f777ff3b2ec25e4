import { nearNames } from '../../config/index.js'

/** Model ids a person may have meant: those that contain what was written, then those a slip or two away. */
export function nearModels(wanted: string, known: readonly string[]): string[] {
  const text = wanted.toLowerCase()
  const containing =
    text.length < 3 ? [] : known.filter((id) => id.toLowerCase().includes(text) || text.includes(id.toLowerCase()))
  return [...new Set([...containing, ...nearNames(wanted, known)])].slice(0, 3)
}
