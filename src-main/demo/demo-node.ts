import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { z } from 'zod'

const ReadySchema = z.object({
  event: z.literal('ready'),
  peerId: z.string(),
  gateway: z.string(),
  dashboard: z.string(),
})

/** One node of the demo network, in a process of its own. */
export interface DemoNode {
  readonly peerId: string
  /** `http://127.0.0.1:PORT` */
  readonly gateway: string
  readonly dashboard: string
  stop(): Promise<void>
}

const START_TIMEOUT_MS = 20_000
const STOP_TIMEOUT_MS = 6_000

/** Starts `ocf start` with these flags. Rejects with what the node said when it does not come up. */
export async function startDemoNode(flags: readonly string[]): Promise<DemoNode> {
  const program = process.argv[1]
  if (program === undefined) throw new Error('the program does not know its own file')
  const child = spawn(process.execPath, [program, 'start', '--ready-json', ...flags], {
    // The channel is how a node notices that the demo is gone, however it ended.
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  let said = ''
  child.stderr?.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-4_096)
  })
  try {
    const ready = ReadySchema.parse(JSON.parse(await firstLine(child)))
    return { ...ready, stop: () => stopChild(child) }
  } catch (error) {
    await stopChild(child)
    throw new Error(`a demo node did not come up: ${said.trim() || 'it said nothing'}`, { cause: error })
  }
}

async function firstLine(child: ChildProcess): Promise<string> {
  if (child.stdout === null) throw new Error('no standard output')
  const lines = createInterface({ input: child.stdout })
  const signal = AbortSignal.timeout(START_TIMEOUT_MS)
  const [line] = (await Promise.race([
    once(lines, 'line', { signal }),
    once(child, 'exit', { signal }).then(([code]) => {
      throw new Error(`it ended with exit code ${String(code)}`)
    }),
  ])) as [string]
  return line
}

async function stopChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS)
  await exited
  clearTimeout(timer)
}
