import { once } from 'node:events'
import type { Readable } from 'node:stream'
import type { StartEngineProcess } from '../engine/index.js'
import { inheritedEnvironment } from '../services/index.js'

/** What is used of Electron's `utilityProcess`: an installed app can't run itself as Node. */
export interface UtilityProcesses {
  fork(
    entry: string,
    args: string[],
    options: { env: NodeJS.ProcessEnv; stdio: 'pipe'; serviceName: string },
  ): NodeJS.EventEmitter & {
    readonly pid?: number | undefined
    stdout: NodeJS.ReadableStream | null
    stderr: NodeJS.ReadableStream | null
    kill(): boolean
  }
}

/** Starts the engine's program in a process of Electron's, which ends with the app. */
export function utilityProcessStarter(needs: { utilityProcess: UtilityProcesses; entry: string }): StartEngineProcess {
  const start: (...given: Parameters<StartEngineProcess>) => ReturnType<StartEngineProcess> = (variables) => {
    const child = needs.utilityProcess.fork(needs.entry, [], {
      env: { ...inheritedEnvironment(process.env), ...variables },
      stdio: 'pipe',
      serviceName: 'Open Compute engine',
    })
    const ended = once(child, 'exit').then(([code]: unknown[]) => `exit code ${Number(code)}`)
    return {
      get pid() {
        return child.pid
      },
      // Both are there where they are asked for as pipes.
      stdout: child.stdout as Readable,
      stderr: child.stderr as Readable,
      ended,
      // Electron ends a process by force where it does not go.
      kill: () => void child.kill(),
    }
  }
  return Object.assign(start, { endsWithInput: false })
}
