import { isLink, parseDeepLink, type LinkedPage } from './deep-link.js'

/** The flag in the login item: start without a window. */
export const BACKGROUND = '--background'
/** The flag of a start after a crash: how many crashes came just before. */
const RESTARTS = '--restarted='

/** Flags for Chromium or Node, passed by test drivers and desktop launchers. */
const FOREIGN_FLAGS = [
  '--no-sandbox',
  '--inspect',
  '--remote-debugging-',
  '--disable-',
  '--enable-',
  '--ozone-platform',
  '--force-device-scale-factor',
  '--original-process-start-time',
  '-psn_',
]

/** How Electron was started. */
export interface Launch {
  /** The arguments for the command line `ocf app`. */
  argv: string[]
  background: boolean
  /** Starts just before this one that ended in a crash. */
  restarts: number
  page: LinkedPage | undefined
}

/** Separates the arguments for the command line from those for the window. */
export function readLaunch(argv: readonly string[], options: { isPackaged: boolean; appPath: string }): Launch {
  const all = appArguments(argv, options)
  const links = all.filter(isLink)
  return {
    argv: all.filter((argument) => argument !== BACKGROUND && !argument.startsWith(RESTARTS) && !isLink(argument)),
    background: all.includes(BACKGROUND),
    restarts: restartsIn(all),
    page: links.length === 1 ? parseDeepLink(links[0] ?? '') : undefined,
  }
}

/** The arguments (without the program) for the next start, after so many crashes. */
export function restartArgv(argv: readonly string[], restarts: number): string[] {
  return [...argv.filter((argument) => !argument.startsWith(RESTARTS) && !isLink(argument)), `${RESTARTS}${restarts}`]
}

function restartsIn(argv: readonly string[]): number {
  const flag = argv.find((argument) => argument.startsWith(RESTARTS)) ?? ''
  const count = Number(flag.slice(RESTARTS.length))
  return Number.isInteger(count) && count > 0 ? count : 0
}

/** What follows the app's path, without the flags of Chromium and Node. */
function appArguments(argv: readonly string[], options: { isPackaged: boolean; appPath: string }): string[] {
  const pathAt = options.isPackaged
    ? 0
    : argv.findIndex((argument, at) => at > 0 && isAppPath(argument, options.appPath))
  return argv
    .slice((pathAt === -1 ? 0 : pathAt) + 1)
    .filter((argument) => !FOREIGN_FLAGS.some((prefix) => argument.startsWith(prefix)))
}

/** Electron takes `.`, a relative or an absolute path, to the folder or to its main file. */
function isAppPath(argument: string, appPath: string): boolean {
  return !argument.startsWith('-') && (argument === '.' || argument.startsWith(appPath) || appPath.endsWith(argument))
}
