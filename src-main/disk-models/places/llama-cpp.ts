import { join } from 'node:path'
import type { Place, PlacesOptions } from './place.js'
import { filesBelow, isGguf } from './walk.js'

/** What llama.cpp's own programs fetched (`llama-server -hf …`). */
export const llamaCpp: Place = async function* (options, bounds) {
  for await (const path of filesBelow(folderOf(options), isGguf, bounds)) {
    yield { app: 'llama.cpp', path, name: undefined, digest: undefined }
  }
}

/** common.cpp, `fs_get_cache_directory`. */
function folderOf({ home, platform, env }: PlacesOptions): string {
  const named = (name: string): string | undefined => (env[name] === '' ? undefined : env[name])
  const cache = named('LLAMA_CACHE')
  if (cache !== undefined) return cache
  if (platform === 'win32') return join(named('LOCALAPPDATA') ?? join(home, 'AppData', 'Local'), 'llama.cpp')
  if (platform === 'darwin') return join(home, 'Library', 'Caches', 'llama.cpp')
  return join(named('XDG_CACHE_HOME') ?? join(home, '.cache'), 'llama.cpp')
}
