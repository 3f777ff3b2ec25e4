import { enableCompileCache, flushCompileCache } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'

/**
 * Has Node read what it compiled at an earlier start: a third of the time until a node serves. For what is imported from
 * now on; where the launcher began, it has done the same, in the same folder. Without a home there is none.
 */
export function readCompiledCode(env: NodeJS.ProcessEnv = process.env): void {
  const dir = cacheDir(env)
  if (dir !== undefined) enableCompileCache(join(dir, 'compiled'))
}

/** Writes what Node has compiled so far: it does so when it ends, which a node that is killed never comes to. */
export function keepCompiledCode(): void {
  flushCompileCache()
}

/** Where the code of the program in one file is kept; undefined where there is no place for it, or none is wanted. */
export function compiledDir(env: NodeJS.ProcessEnv = process.env): string | undefined {
  const dir = env['NODE_DISABLE_COMPILE_CACHE'] === undefined ? cacheDir(env) : undefined
  return dir === undefined ? undefined : join(dir, 'program')
}

/** As in launcher.mjs. Undefined for a user that no database knows: compiling takes longer, and nothing else is different. */
function cacheDir(env: NodeJS.ProcessEnv): string | undefined {
  const { LOCALAPPDATA, XDG_CACHE_HOME } = env
  try {
    if (process.platform === 'win32') return join(LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local'), 'ocf', 'Cache')
    if (process.platform === 'darwin') return join(homedir(), 'Library', 'Caches', 'ocf')
    return join(XDG_CACHE_HOME || join(homedir(), '.cache'), 'ocf')
  } catch {
    return undefined
  }
}
