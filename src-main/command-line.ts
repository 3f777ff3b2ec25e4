import { browserOpener } from './cli/browser.js'
import { readInput, readPasted } from './cli/given-text.js'
import type { CliHandlers, HostIo } from './cli/io.js'
import { terminalPrompt } from './cli/prompt.js'
import { connectToNode, runCli } from './cli/run.js'
import { keepCompiledCode } from './compose/compiled/compile-cache.js'
import type { Compiled } from './compose/compiled/whole-program.js'

/** What the command line is started from. */
export interface CommandLineHost {
  /** The folder of the built program (`out`). */
  builtDir: string
  /** Keeps what V8 has compiled by now; Node's own way to unless told. */
  keepCompiled?: ((compiled: Compiled) => void) | undefined
}

/** The `ocf` command without a window: the node itself, and everything that talks to one. Resolves to the exit code. */
export function runCommandLine({ builtDir, keepCompiled = keepCompiledCode }: CommandLineHost): Promise<number> {
  // Commands that only talk to a node load no node: that is most of what they would take.
  const start: CliHandlers['start'] = async (settings, origins) => {
    const { runHeadlessNode } = await import('./compose/run-headless-node.js')
    return runHeadlessNode(settings, origins, { builtDir, keepCompiled })
  }
  return runCli(process.argv.slice(2), {
    io: terminalIo(),
    connect: connectToNode,
    handlers: {
      start,
      // The launcher has already said why there is no window.
      app: start,
      async engineTools() {
        const { engineTools } = await import('./compose/engine-tools.js')
        return engineTools
      },
      async demo(options) {
        const { runDemo } = await import('./demo/index.js')
        return runDemo(options)
      },
    },
  })
}

function terminalIo(): HostIo {
  return {
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
}
