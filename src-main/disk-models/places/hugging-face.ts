import { realpath } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { Place, PlacesOptions } from './place.js'
import { entriesOf, filesBelow, isGguf } from './walk.js'

/** The cache of Hugging Face's tools: `models--ORG--NAME/snapshots/REVISION/FILE`, links to blobs named by SHA-256. */
export const huggingFace: Place = async function* (options, bounds) {
  const folder = folderOf(options)
  for (const entry of await entriesOf(folder)) {
    bounds.seen()
    if (!entry.isDirectory() || !entry.name.startsWith('models--')) continue
    for await (const path of filesBelow(join(folder, entry.name, 'snapshots'), isGguf, bounds)) {
      // Where links can't be had, files lie there themselves.
      const blob = basename(await realpath(path))
      yield { app: 'hugging-face', path, name: undefined, digest: /^[0-9a-f]{64}$/.test(blob) ? blob : undefined }
    }
  }
}

/** As huggingface_hub finds it. */
function folderOf({ home, env }: PlacesOptions): string {
  const named = (name: string): string | undefined => (env[name] === '' ? undefined : env[name])
  const cache = named('HF_HUB_CACHE') ?? named('HUGGINGFACE_HUB_CACHE')
  if (cache !== undefined) return cache
  const hfHome = named('HF_HOME') ?? join(named('XDG_CACHE_HOME') ?? join(home, '.cache'), 'huggingface')
  return join(hfHome, 'hub')
}
