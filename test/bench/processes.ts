import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'

const HOOKS = new URL('../fixtures/typescript-hooks.mjs', import.meta.url).href
const HEADLESS = resolve(import.meta.dirname, '../../out/main/headless.js')

/** A node of the bench, in its own process on loopback. */
export interface BenchNode {
  gateway: string
  peerId: string
  multiaddrs: string[]
  pid: number
  stop(): Promise<void>
}

export async function startBenchNode(flags: string[]): Promise<BenchNode> {
  const dataDir = await mkdtemp(join(tmpdir(), 'ocf-bench-'))
  const ports = ['--port', '0', '--api-port', '0', '--tcpport', '0', '--wsport', '0', '--udpport', '0']
  const child = fork(
    HEADLESS,
    [
      'start',
      '--ready-json',
      '--log-level',
      'error',
      '--data-dir',
      dataDir,
      '--p2p-host',
      '127.0.0.1',
      ...ports,
      ...flags,
    ],
    { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] },
  )
  if (child.stdout === null) throw new Error('the node has no standard output')
  const [line] = (await once(createInterface({ input: child.stdout }), 'line')) as [string]
  const ready = JSON.parse(line) as Omit<BenchNode, 'pid' | 'stop'>
  return {
    ...ready,
    pid: child.pid ?? 0,
    async stop() {
      await end(child)
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}

/** A TypeScript file of the bench in its own process; it reports by messages. */
export interface BenchWorker {
  /** Sends a message and waits for the answer. */
  ask<T>(message: object): Promise<T>
  stop(): Promise<void>
}

/** `hooks` lets the worker import the sources of src-main, whose imports end in `.js`. */
export async function startBenchWorker(
  file: string,
  options: { args?: string[]; hooks?: boolean; gc?: boolean } = {},
): Promise<BenchWorker & { first: unknown }> {
  const execArgv = [
    ...(options.hooks === true ? ['--no-warnings', '--import', HOOKS] : []),
    ...(options.gc === true ? ['--expose-gc'] : []),
  ]
  const child = fork(file, options.args ?? [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv })
  const [first] = (await once(child, 'message')) as [unknown]
  return {
    first,
    async ask<T>(message: object) {
      const answer = once(child, 'message') as Promise<[T]>
      child.send(message)
      return (await answer)[0]
    },
    stop: () => end(child),
  }
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null) return
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await exited
}
