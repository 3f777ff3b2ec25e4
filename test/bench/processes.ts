import { fork, type ChildProcess } from 'node:child_process'
import { once, type EventEmitter } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const HOOKS = new URL('../fixtures/typescript-hooks.mjs', import.meta.url).href
const HEADLESS = resolve(import.meta.dirname, '../../out/main/headless.js')

/** A node of the bench, in its own process on loopback. */
export interface BenchNode {
  gateway: string
  peerId: string
  multiaddrs: string[]
  pid: number
  /** Asks what was loaded into the node by {@link NodeOptions.imports}. */
  ask<T>(message: object): Promise<T>
  stop(): Promise<void>
  /** As a crash: nobody is told, and the data folder stays. */
  kill(): Promise<void>
}

export interface NodeOptions {
  /** Modules to load before the node: what only a bench wants to see or to change. */
  imports?: readonly string[]
  /** Words for Node itself. */
  execArgv?: readonly string[]
  /** The folder of an earlier node, to be that one again; who gives it removes it. */
  dataDir?: string
  /** The program in place of the built one. */
  program?: string
  /** Added to this process' environment. */
  env?: Readonly<Record<string, string>>
}

export async function startBenchNode(flags: string[], options: NodeOptions = {}): Promise<BenchNode> {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'ocf-bench-')))
  const ports = ['--port', '0', '--api-port', '0', '--tcpport', '0', '--wsport', '0', '--udpport', '0']
  const child = fork(
    options.program ?? HEADLESS,
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
    {
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
      execArgv: [...(options.execArgv ?? []), ...loading(options.imports ?? [])],
      env: { ...process.env, ...options.env },
    },
  )
  if (child.stdout === null) throw new Error('the node has no standard output')
  const [line] = await firstOf<string>(child, createInterface({ input: child.stdout }), 'line')
  const ready = JSON.parse(line) as Pick<BenchNode, 'gateway' | 'peerId' | 'multiaddrs'>
  return {
    ...ready,
    pid: child.pid ?? 0,
    ask: (message) => answerTo(child, message),
    async stop() {
      await end(child)
      if (options.dataDir === undefined) await rm(dataDir, { recursive: true, force: true })
    },
    kill: () => end(child, 'SIGKILL'),
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
  options: {
    args?: string[]
    hooks?: boolean
    gc?: boolean
    imports?: readonly string[]
    /** Words for Node itself. */
    execArgv?: readonly string[]
  } = {},
): Promise<BenchWorker & { first: unknown }> {
  const execArgv = [
    ...(options.hooks === true ? ['--no-warnings', '--import', HOOKS] : []),
    ...(options.gc === true ? ['--expose-gc'] : []),
    ...loading(options.imports ?? []),
    ...(options.execArgv ?? []),
  ]
  const child = fork(file, options.args ?? [], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'], execArgv })
  const [first] = await firstOf<unknown>(child, child, 'message')
  return {
    first,
    ask: (message) => answerTo(child, message),
    stop: () => end(child),
  }
}

const loading = (files: readonly string[]): string[] => files.flatMap((file) => ['--import', pathToFileURL(file).href])

async function answerTo<T>(child: ChildProcess, message: object): Promise<T> {
  const answer = firstOf<T>(child, child, 'message')
  child.send(message)
  return (await answer)[0]
}

/** The next `event`; rejects when the process ends before it. */
async function firstOf<T>(child: ChildProcess, emitter: EventEmitter, event: string): Promise<[T]> {
  const done = new AbortController()
  const exited = once(child, 'exit', { signal: done.signal }).then(() => {
    throw new Error('a process of the bench ended before it answered')
  })
  const came = once(emitter, event, { signal: done.signal }) as Promise<[T]>
  try {
    return await Promise.race([came, exited])
  } finally {
    done.abort()
    await Promise.allSettled([came, exited])
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const exited = once(child, 'exit')
  child.kill(signal)
  await exited
}
