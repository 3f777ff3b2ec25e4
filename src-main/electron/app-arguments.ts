/** Switches that are for Chromium or Node and not for this program; test drivers and launchers of desktops pass them. */
const NOT_OURS = [
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

/** What was meant for `ocf app` in the words Electron was started with: those after the app's path. */
export function appArguments(argv: readonly string[], options: { isPackaged: boolean; appPath: string }): string[] {
  const pathAt = options.isPackaged ? 0 : argv.findIndex((word, at) => at > 0 && isAppPath(word, options.appPath))
  return argv
    .slice((pathAt === -1 ? 0 : pathAt) + 1)
    .filter((word) => !NOT_OURS.some((prefix) => word.startsWith(prefix)))
}

/** Electron takes `.`, a relative or an absolute path, to the folder or to its main file. */
function isAppPath(word: string, appPath: string): boolean {
  return !word.startsWith('-') && (word === '.' || word.startsWith(appPath) || appPath.endsWith(word))
}
