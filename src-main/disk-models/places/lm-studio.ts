import { join } from 'node:path'
import { z } from 'zod'
import type { Place } from './place.js'
import { filesBelow, isGguf, smallFile, smallJson } from './walk.js'

const SettingsSchema = z.object({ downloadsFolder: z.string().min(1).max(4096) })

/** LM Studio: `PUBLISHER/MODEL/FILE.gguf` in the folder that its settings name. */
export const lmStudio: Place = async function* ({ home }, bounds) {
  // It writes down where it has its home; older versions had it among the caches.
  const pointer = (await smallFile(join(home, '.lmstudio-home-pointer')))?.trim()
  const homes = [
    ...(pointer === undefined || pointer === '' ? [] : [pointer]),
    join(home, '.lmstudio'),
    join(home, '.cache', 'lm-studio'),
  ]
  const folders = new Set<string>()
  for (const folder of homes) {
    const settings = SettingsSchema.safeParse(await smallJson(join(folder, 'settings.json'))).data
    folders.add(settings?.downloadsFolder ?? join(folder, 'models'))
  }
  for (const folder of folders) {
    for await (const path of filesBelow(folder, isGguf, bounds)) {
      yield { app: 'lm-studio', path, name: undefined, digest: undefined }
    }
  }
}
