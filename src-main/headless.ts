import { dirname } from 'node:path'
import { browserOpener } from './cli/browser.js'
import { readInput, readPasted } from './cli/given-text.js'
import type { CliHandlers, CliIo } from './cli/io.js'
import { terminalPrompt } from './cli/prompt.js'
import { connectToNode, runCli } from './cli/run.js'
import { hideSecretWords } from './cli/secret-words.js'

hideSecretWords(process.argv, 'ocf')

const io: CliIo = {
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  readPasted: (prompt) => readPasted({ input: process.stdin, output: process.stderr }, prompt),
  readInput: process.stdin.isTTY ? undefined : () => readInput(process.stdin),
  onInterrupt(listener) {
    process.once('SIGINT', listener)
    return () => process.off('SIGINT', listener)
  },
  ask: terminalPrompt(process.stdin, process.stdout),
  openInBrowser: browserOpener(),
}

// Commands that only talk to a node load no node: that is most of what they would take.
const start: CliHandlers['start'] = async (settings, origins) => {
  const { runHeadlessNode } = await import('./compose/run-headless-node.js')
  return runHeadlessNode(settings, origins, { builtDir: dirname(import.meta.dirname) })
}

/** The `ocf` command without a window: the node itself, and everything that talks to one. */
process.exitCode = await runCli(process.argv.slice(2), {
  io,
  connect: connectToNode,
  handlers: {
    start,
    // The launcher has already said why there is no window.
    app: start,
    async demo(options) {
      const { runDemo } = await import('./demo/index.js')
      return runDemo(options)
    },
  },
})
// Nothing is left to do; a handle that a library forgot must not keep the process.
process.exit()
