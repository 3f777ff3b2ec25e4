import { createInterface } from 'node:readline/promises'
import type { CliIo } from './io.js'

/** The way to ask the person at the terminal; undefined where input or output is none. */
export function terminalPrompt(input: NodeJS.ReadStream, output: NodeJS.WriteStream): CliIo['ask'] {
  if (!input.isTTY || !output.isTTY) return undefined
  return async (question, signal) => {
    const lines = createInterface({ input, output })
    const closed = new Promise<undefined>((resolve) => lines.once('close', () => resolve(undefined)))
    try {
      return await Promise.race([lines.question(question, { signal }), closed])
    } catch (error) {
      if (!signal.aborted) throw error
      output.write('\n')
      return undefined
    } finally {
      lines.close()
    }
  }
}
