import { huggingFace } from './hugging-face.js'
import { llamaCpp } from './llama-cpp.js'
import { lmStudio } from './lm-studio.js'
import { ollama } from './ollama.js'
import type { Place } from './place.js'
import { filesBelow, isGguf } from './walk.js'

export type { FoundFile, PlacesOptions } from './place.js'
export { isFile } from './walk.js'

const folders: Place = async function* (options, bounds) {
  for (const folder of options.folders) {
    for await (const path of filesBelow(folder, isGguf, bounds)) {
      yield { app: 'folder', path, name: undefined, digest: undefined }
    }
  }
}

/** In the order of how much they tell: of a file in two places the first one's name counts. */
export const PLACES: readonly Place[] = [ollama, huggingFace, lmStudio, llamaCpp, folders]
