import { isLink, parseDeepLink, type LinkedPage } from './deep-link.js'

/** The flag in the login item: start without a window. */
export const BACKGROUND = '--background'
/** The flag of a start after a crash: how many crashes came just before. */
const RESTARTS = '--restarted='

/** The switch that packages for Linux start with; a start after a crash needs it, too. */
const NO_SANDBOX = '--no-sandbox'

/** Flags for Chromium, Node or the installer, passed by test drivers, desktop launchers and updates. */
const FOREIGN_FLAGS = [
  NO_SANDBOX,
  // The installer for Windows starts the new version with it.
  '--updated',
  '--inspect',
  '--remote-debugging-',
  '--disable-',
  '--enable-',
  '--ozone-platform',
  '--force-device-scale-factor',
  '--original-process-start-time',
  '-psn_',
]

/**
 * The first argument of a start as the command `ocf`: what follows is for the command line, and no window opens. A link
 * can't bring it along, as a link is the first argument itself.
 */
export const COMMAND_LINE = '--cli'

/** The arguments of a start as the command `ocf`; undefined for a start of the app. */
export function readCommandLine(argv: readonly string[], packed: PackedAs): string[] | undefined {
  const { own } = splitArgv(argv, packed)
  const first = own.findIndex((argument) => !isForeign(argument))
  return own[first] === COMMAND_LINE ? own.slice(first + 1) : undefined
}

/** How Electron was started. */
export interface Launch {
  /** The arguments for the command line `ocf app`. */
  argv: string[]
  background: boolean
  /** Starts just before this one that ended in a crash. */
  restarts: number
  page: LinkedPage | undefined
}

/** How the app was packed, which says where its own arguments begin. */
export interface PackedAs {
  isPackaged: boolean
  appPath: string
}

/**
 * Separates the arguments for the command line from those for the window. With a link among them no flag counts: any
 * web page or document can open a link, and one with a stray quote in it reaches the program as several arguments.
 */
export function readLaunch(argv: readonly string[], packed: PackedAs): Launch {
  const all = withoutForeign(splitArgv(argv, packed).own)
  const links = all.filter(isLink)
  if (links.length > 0) {
    const page = links.length === 1 ? parseDeepLink(links[0] ?? '') : undefined
    return { argv: [], background: false, restarts: 0, page }
  }
  return {
    argv: all.filter((argument) => argument !== BACKGROUND && !argument.startsWith(RESTARTS)),
    background: all.includes(BACKGROUND),
    restarts: restartsIn(all),
    page: undefined,
  }
}

/** The arguments (without the program) for the next start, after so many crashes. What came with a link is left out. */
export function restartArgv(argv: readonly string[], restarts: number, packed: PackedAs): string[] {
  const { before, own } = splitArgv(argv, packed)
  const kept = own.some(isLink)
    ? own.filter((argument) => argument === NO_SANDBOX)
    : own.filter((argument) => !argument.startsWith(RESTARTS))
  return [...before, ...kept, `${RESTARTS}${restarts}`]
}

function restartsIn(argv: readonly string[]): number {
  const flag = argv.find((argument) => argument.startsWith(RESTARTS)) ?? ''
  const count = Number(flag.slice(RESTARTS.length))
  return Number.isInteger(count) && count > 0 ? count : 0
}

/** The arguments up to the app's path, without the program, and what follows it. A packaged app has no path there. */
function splitArgv(argv: readonly string[], { isPackaged, appPath }: PackedAs): { before: string[]; own: string[] } {
  const pathAt = isPackaged ? 0 : argv.findIndex((argument, at) => at > 0 && isAppPath(argument, appPath))
  const ownAt = Math.max(pathAt, 0) + 1
  return { before: argv.slice(1, ownAt), own: argv.slice(ownAt) }
}

function withoutForeign(argv: readonly string[]): string[] {
  return argv.filter((argument) => !isForeign(argument))
}

function isForeign(argument: string): boolean {
  return FOREIGN_FLAGS.some((prefix) => argument.startsWith(prefix))
}

/** Electron takes `.`, a relative or an absolute path, to the folder or to its main file. */
function isAppPath(argument: string, appPath: string): boolean {
  return !argument.startsWith('-') && (argument === '.' || argument.startsWith(appPath) || appPath.endsWith(argument))
}
