import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { inheritedEnvironment } from '../../services/index.js'
import type { EngineProcess, StartEngineProcess } from './model-process.js'

/** Starts the engine's program with the Node that runs this one. Its standard input closes with this process. */
export function nodeProcessStarter(options: { entry: string }): StartEngineProcess {
  const start = (variables: Record<string, string>): EngineProcess => {
    const child = spawn(process.execPath, [options.entry], {
      env: { ...inheritedEnvironment(process.env), ...variables },
      stdio: ['pipe', 'pipe', 'pipe'],
      windowsHide: true,
    })
    // It is never written to; where the process is gone already, its end says so.
    child.stdin.on('error', () => undefined)
    const ended = once(child, 'exit').then(
      (end) => {
        const [code, signal] = end as [number | null, NodeJS.Signals | null]
        return signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`
      },
      (error: unknown) => (error instanceof Error ? error.message : String(error)),
    )
    const { pid, stdout, stderr } = child
    return { pid, stdout, stderr, ended, kill: (signal) => void child.kill(signal) }
  }
  return Object.assign(start, { endsWithInput: true })
}
