import { dirname } from 'node:path'
import { app, dialog } from 'electron'
import { EXIT, type CliIo } from './cli/io.js'
import { connectToNode, runCli } from './cli/run.js'
import { runDesktopApp } from './compose/run-desktop-app.js'
import { readLaunch } from './electron/argv.js'
import { registerAppScheme } from './electron/window/app-scheme.js'

/** The end of what went wrong, for a person who started the app without a terminal. */
const MAX_SHOWN = 4000

let complaints = ''
const io: CliIo = {
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
  onInterrupt: () => () => undefined,
}

/** `ocf app`: the flags of `ocf start`, with a window. */
async function main(): Promise<void> {
  const launch = readLaunch(process.argv, { isPackaged: app.isPackaged, appPath: app.getAppPath() })
  const noOther = (): Promise<number> => Promise.resolve(EXIT.usage)
  const code = await runCli(['app', ...launch.argv], {
    io,
    connect: connectToNode,
    handlers: {
      app: (settings, origins) => runDesktopApp(settings, origins, { builtDir: dirname(import.meta.dirname), launch }),
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

registerAppScheme()
// Electron becomes ready only after this module was evaluated: nothing may be awaited at its top level.
void main()
