import { createControlClient } from '../api/client.js'
import { controlFilePath } from '../api/http/control-file.js'
import { AppError } from '#shared/errors.js'
import type { ControlClient } from './io.js'

/** Calls into the node that runs with this data folder; where none does, the error names the folder. */
export function connectToNode(dataDir: string): ControlClient {
  const client = createControlClient({ controlFile: controlFilePath(dataDir) })
  return {
    async call(name, input) {
      try {
        return await client.call(name, input)
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'node_not_running') throw error
        const sentence = `No node is running with the data folder ${dataDir}. Start one with \`ocf start\`.`
        throw new AppError('node_not_running', sentence, { cause: error })
      }
    },
  }
}
