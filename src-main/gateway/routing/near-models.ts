import { ollamaKeyOf } from '#shared/model-names.js'
import { nearNames } from '../../config/index.js'
import { OLLAMA_API } from '../../services/index.js'
import type { ModelCatalog } from './model-catalog.js'
import type { ProviderChoice } from './provider-choice.js'

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

/**
 * The model of an Ollama that is meant by a name nobody offers as it stands: `llama3.2` for `llama3.2:latest`, in any
 * case, with `library/` or without. Undefined where there is none.
 */
export function ollamaModelFor(
  needs: { models: Pick<ModelCatalog, 'list'>; choice: Pick<ProviderChoice, 'offers'> },
  wanted: string,
): string | undefined {
  const key = ollamaKeyOf(wanted)
  const found = needs.models
    .list()
    .find(({ id }) => ollamaKeyOf(id) === key && needs.choice.offers('llm', `model=${id}`, OLLAMA_API))
  return found?.id === wanted ? undefined : found?.id
}
