import { dirname } from 'node:path'
import { app, dialog } from 'electron'
import { EXIT, type HostIo } from './cli/io.js'
import { connectToNode, runCli } from './cli/run.js'
import { hideSecretWords } from './cli/secret-words.js'
import { runDesktopApp } from './compose/run-desktop-app.js'
import { readCommandLine, readLaunch } from './electron/argv.js'
import { registerAppScheme } from './electron/window/app-scheme.js'

// A link that opens the app may hold an invite.
hideSecretWords(process.argv, 'Open Compute')

/** The end of what went wrong, for a person who started the app without a terminal. */
const MAX_SHOWN = 4000

let complaints = ''
const io: HostIo = {
  stdout: process.stdout,
  stderr: {
    isTTY: process.stderr.isTTY,
    columns: process.stderr.columns,
    write(text) {
      complaints = (complaints + text).slice(-MAX_SHOWN)
      return process.stderr.write(text)
    },
  },
  env: process.env,
  readPasted: () => Promise.resolve(undefined),
  onInterrupt: () => () => undefined,
}

const packed = { isPackaged: app.isPackaged, appPath: app.getAppPath() }

/** The command `ocf` of an installed app: the program without a window, which reads its arguments as under plain Node. */
async function runCommandLine(words: readonly string[]): Promise<void> {
  // No icon in the Dock for a command.
  if (process.platform === 'darwin') app.setActivationPolicy('prohibited')
  process.argv = [process.argv[0] ?? '', 'ocf', ...words]
  await import('./headless.js')
}

/** `ocf app`: the flags of `ocf start`, with a window. */
async function main(): Promise<void> {
  const launch = readLaunch(process.argv, packed)
  const noOther = (): Promise<number> => Promise.resolve(EXIT.usage)
  const code = await runCli(['app', ...launch.argv], {
    io,
    connect: connectToNode,
    // A start that an installer, a notification or the desktop made must not end at a word of theirs.
    isTolerant: app.isPackaged,
    handlers: {
      app: (settings, origins) => {
        const builtDir = dirname(import.meta.dirname)
        return runDesktopApp(settings, origins, { builtDir, launch, warnings: complaints })
      },
      start: noOther,
      demo: noOther,
    },
  })
  if (code !== EXIT.ok && complaints !== '') {
    await app.whenReady()
    dialog.showErrorBox('Open Compute could not start', complaints)
  }
  app.exit(code)
}

const commandLine = readCommandLine(process.argv, packed)
// Electron becomes ready only after this module was evaluated: nothing may be awaited at its top level.
if (commandLine === undefined) {
  registerAppScheme()
  void main()
} else void runCommandLine(commandLine)
