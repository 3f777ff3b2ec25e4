import { dirname, join } from 'node:path'
import { tuneAllocation } from './base/memory/garbage-collection.js'
import { hideSecretWords } from './cli/secret-words.js'
import type * as commandLine from './command-line.js'
import { compiledDir, readCompiledCode } from './compose/compiled/compile-cache.js'
import { readWholeProgram, type WholeProgram } from './compose/compiled/whole-program.js'

hideSecretWords(process.argv, 'ocf')

/** The program in one file: for a node alone, as commands that talk to one would load ten times what they need. */
function wholeProgram(): WholeProgram | undefined {
  const cacheDir = compiledDir()
  if (process.argv[2] !== 'start' || cacheDir === undefined) return undefined
  // V8 takes code only under the flags that it was compiled with: these are set before, not when the node starts.
  tuneAllocation()
  return readWholeProgram(join(import.meta.dirname, 'program.cjs'), { cacheDir, importMeta: import.meta })
}

const whole = wholeProgram()
if (whole === undefined) readCompiledCode()
const { runCommandLine } = whole === undefined ? await import('./command-line.js') : (whole.run() as typeof commandLine)
process.exitCode = await runCommandLine({
  builtDir: dirname(import.meta.dirname),
  keepCompiled: whole && ((compiled) => whole.keep(compiled)),
})
// Nothing is left to do; a handle that a library forgot must not keep the process.
process.exit()
