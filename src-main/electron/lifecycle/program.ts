import { spawn } from 'node:child_process'
import { realpathSync } from 'node:fs'
import { basename, isAbsolute, join, relative } from 'node:path'

/** This program on the disk. */
export interface OwnProgram {
  /** What starts it: the AppImage, or the executable. */
  readonly path: string
  /** The AppImage's file; undefined for every other package. */
  readonly appImage: string | undefined
}

/**
 * Finds what this program is started by. An AppImage hands its name on to everything that is started from it, also to
 * another program in its terminal: the name counts only where the executable lies in the folder of that AppImage.
 */
export function findProgram(facts: { execPath: string; env: NodeJS.ProcessEnv } = process): OwnProgram {
  const { execPath, env } = facts
  const { APPIMAGE: appImage, APPDIR: appDir } = env
  const isOwn = appImage !== undefined && isAbsolute(appImage) && appDir !== undefined && isBelow(execPath, appDir)
  return isOwn ? { path: appImage, appImage } : { path: execPath, appImage: undefined }
}

function isBelow(file: string, dir: string): boolean {
  try {
    const way = relative(realpathSync(dir), realpathSync(file))
    return way !== '' && !way.startsWith('..') && !isAbsolute(way)
  } catch {
    return false
  }
}

/** Waits at most 30 s for the process $1 to end, then becomes the program behind it. */
const AFTER_THIS_PROCESS =
  'tries=0; while kill -0 "$1" 2>/dev/null && [ "$tries" -lt 300 ]; do sleep 0.1; tries=$((tries + 1)); done; shift; exec "$@"'

/** What an AppImage's runtime leaves in the environment; its next run sets them anew. */
const RUNTIME_VARIABLES = ['APPIMAGE', 'APPDIR', 'ARGV0', 'OWD'] as const

/**
 * Starts this program again once this process has ended. An AppImage's executable is unmounted with its process, so
 * Electron's own relaunch finds nothing there: a shell of its own waits and starts the image.
 */
export function startAgain(
  needs: { app: { relaunch(options: { execPath: string; args: string[] }): void }; program: OwnProgram },
  args: readonly string[],
): void {
  const { path, appImage } = needs.program
  if (appImage === undefined) {
    needs.app.relaunch({ execPath: path, args: [...args] })
    return
  }
  const env = { ...process.env }
  // Started without FUSE, it has to start without it again.
  if (basename(env['APPDIR'] ?? '').startsWith('appimage_extracted_')) env['APPIMAGE_EXTRACT_AND_RUN'] = '1'
  for (const name of RUNTIME_VARIABLES) Reflect.deleteProperty(env, name)
  const words = ['-c', AFTER_THIS_PROCESS, 'sh', String(process.pid), appImage, ...args]
  spawn(join('/bin', 'sh'), words, { detached: true, stdio: 'ignore', env }).unref()
}
