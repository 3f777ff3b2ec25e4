import { appArguments } from './app-arguments.js'
import { isLink, parseDeepLink, type LinkedPage } from './deep-link.js'

/** Put into the login item: no window is wanted. */
export const BACKGROUND = '--background'
/** Put by a start after a crash: how many came just before it. */
const RESTARTS = '--restarted='

/** How Electron was started. */
export interface Launch {
  /** For the command line `ocf app`. */
  words: string[]
  background: boolean
  /** Starts just before this one that ended in a crash. */
  restarts: number
  page: LinkedPage | undefined
}

/** Tells the words for the command line from those that are for the window. */
export function readLaunch(argv: readonly string[], options: { isPackaged: boolean; appPath: string }): Launch {
  const all = appArguments(argv, options)
  const links = all.filter(isLink)
  return {
    words: all.filter((word) => word !== BACKGROUND && !word.startsWith(RESTARTS) && !isLink(word)),
    background: all.includes(BACKGROUND),
    restarts: restartsIn(all),
    page: links.length === 1 ? parseDeepLink(links[0] ?? '') : undefined,
  }
}

/** The words of `argv` (without the program) to start again with, after so many crashes. */
export function restartWords(argv: readonly string[], restarts: number): string[] {
  return [...argv.filter((word) => !word.startsWith(RESTARTS) && !isLink(word)), `${RESTARTS}${restarts}`]
}

function restartsIn(words: readonly string[]): number {
  const word = words.find((candidate) => candidate.startsWith(RESTARTS)) ?? ''
  const count = Number(word.slice(RESTARTS.length))
  return Number.isInteger(count) && count > 0 ? count : 0
}
