import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const HEADLESS = resolve(import.meta.dirname, '../../../out/main/headless.js')
const PROBE = new URL('probe.mjs', import.meta.url).href

/** Milliseconds. */
interface Figures {
  p50: number
  p99: number
  max: number
}

/** How late the event loop was by the clock, and by its own work alone. */
export interface LoopDelay {
  late: Figures
  work: Figures
}

/** A node as the desktop app’s main process holds it, with its control interface and a probe of its event loop. */
export interface ProbedNode {
  gateway: string
  /** Milliseconds one call of the contract took. */
  timeCall(name: string, input: object): Promise<number>
  begin(): Promise<void>
  end(): Promise<LoopDelay>
  stop(): Promise<void>
}

export async function startProbedNode(flags: string[]): Promise<ProbedNode> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ocf-bench-'))
  const ports = ['port', 'api-port', 'tcpport', 'wsport', 'udpport'].map((name) => `--${name}=0`)
  const own = ['--mode=standalone', '--log-level=error', '--p2p-host=127.0.0.1', `--data-dir=${dataDir}`]
  const child = fork(HEADLESS, ['start', '--ready-json', ...own, ...ports, ...flags], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    execArgv: ['--import', PROBE],
  })
  if (child.stdout === null) throw new Error('the node has no standard output')
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const { gateway, dashboard } = JSON.parse(line) as { gateway: string; dashboard: string }
  const { origin, hash } = new URL(dashboard)
  const token = new URLSearchParams(hash.slice(1)).get('token') ?? ''
  const ask = async (message: string): Promise<unknown> => {
    const answer = once(child, 'message')
    child.send(message)
    return ((await answer) as unknown[])[0]
  }
  return {
    gateway,
    async timeCall(name, input) {
      const at = performance.now()
      const response = await fetch(`${origin}/api/call/${name}`, {
        method: 'POST',
        headers: { Authorization: `Bearer ${token}`, 'Content-Type': 'application/json' },
        body: JSON.stringify(input),
      })
      await response.text()
      if (!response.ok) throw new Error(`${name} was answered with ${response.status}`)
      return performance.now() - at
    },
    async begin() {
      await ask('begin')
    },
    end: async () => (await ask('end')) as LoopDelay,
    async stop() {
      const exited = once(child, 'exit')
      child.kill('SIGTERM')
      await exited
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
