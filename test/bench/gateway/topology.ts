import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { startBenchNode, startBenchWorker, type BenchNode, type BenchWorker, type NodeOptions } from '../processes.ts'
import type { BenchOptions } from '../run.ts'
import type { Load } from './load/client.ts'

/** What two nodes may connect by. */
export const TRANSPORTS = ['tcp', 'ws', 'quic'] as const
export type Transport = (typeof TRANSPORTS)[number]

/** Modules a node of the bench may be given. */
export const COUNT_STREAM_BYTES = join(import.meta.dirname, 'preload/count-stream-bytes.mjs')
export const ELECTRON_CIPHER = join(import.meta.dirname, 'preload/electron-cipher.mjs')
const WITHOUT_TLS = join(import.meta.dirname, 'preload/without-tls.mjs')

export const BARE_PROXY = join(import.meta.dirname, 'bare-proxy.ts')

/** The ways to the model server: straight, through the gateway of its own node, through the gateway of another. */
export const WAYS = ['direct', 'local', 'remote'] as const
export type Way = (typeof WAYS)[number]

/** The model server and the load generator, each in its own process. */
export interface Ends {
  server: { port: number; pid: number }
  client: { pid: number; load<R>(load: Load): Promise<R> }
  stop(): Promise<void>
}

/** Two nodes that are connected by one transport; B has the model server. */
export interface NodePair {
  a: BenchNode
  b: BenchNode
  /** The URL of a path of the model server. */
  url(way: Way, path: string): string
  stop(): Promise<void>
}

export async function startEnds(): Promise<Ends> {
  const server = await startBenchWorker(join(import.meta.dirname, 'model-server.ts'))
  const client = await startBenchWorker(join(import.meta.dirname, 'load/client.ts'))
  return {
    server: server.first as Ends['server'],
    client: { pid: (client.first as { pid: number }).pid, load: (load) => ask(client, load) },
    async stop() {
      for (const started of [client, server]) await started.stop()
    },
  }
}

async function ask<R>(client: BenchWorker, load: Load): Promise<R> {
  const answer = await client.ask<R & { error?: string }>(load)
  if (answer.error !== undefined) throw new Error(`${load.kind} at ${load.url}: ${answer.error}`)
  return answer
}

/** What the nodes of a bench are started with: its transport, its cipher, and where profiles of them are written. */
export function nodeOptionsOf(given: {
  transport: Transport
  cipher: 'default' | 'wasm'
  options: Pick<BenchOptions, 'profile'>
}): { transport: Transport } & Pick<NodeOptions, 'imports' | 'execArgv'> {
  const { transport, cipher, options } = given
  return {
    transport,
    imports: cipher === 'wasm' ? [ELECTRON_CIPHER, WITHOUT_TLS] : [],
    execArgv: options.profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${options.profile}`],
  }
}

export async function startNodePair(
  { server }: Pick<Ends, 'server'>,
  { transport, ...given }: { transport: Transport } & Pick<NodeOptions, 'imports' | 'execArgv'>,
): Promise<NodePair> {
  const quiet = ['--demo-model', 'off']
  const share = ['--service.name', 'llm', '--service.port', String(server.port)]
  const paths = ['--service.shared-path', 'POST /v1/echo', '--service.shared-path', 'POST /v1/bytes']
  // The owner's default of four requests of peers at a time would be measured in place of the way there.
  const open = ['--limits.concurrent', '1000', '--limits.queue', '1000']
  const a = await startBenchNode(quiet, given)
  const meet = ['--bootstrap.addr', addressOver(a, transport)]
  const b = await startBenchNode([...quiet, ...share, ...paths, ...open, ...meet], given)
  const pair: NodePair = {
    a,
    b,
    url(way, path) {
      if (way === 'direct') return `http://127.0.0.1:${server.port}${path}`
      return `${(way === 'local' ? b : a).gateway}/v1/service/llm${path}`
    },
    async stop() {
      for (const node of [b, a]) await node.stop()
    },
  }
  try {
    await untilText(`${a.gateway}/v1/models`, '"echo"')
    await untilText(`${a.gateway}/metrics`, `ocf_peers{path="direct-${transport}"} 1`)
    return pair
  } catch (error) {
    await pair.stop()
    throw error
  }
}

function addressOver(node: BenchNode, transport: Transport): string {
  const found = node.multiaddrs.find((address) => {
    const parts = address.split('/')
    if (transport === 'quic') return parts.includes('quic-v1')
    return parts.includes('tcp') && parts.includes('ws') === (transport === 'ws')
  })
  if (found === undefined) throw new Error(`the node does not listen on ${transport}: ${node.multiaddrs.join(', ')}`)
  return found
}

async function untilText(url: string, wanted: string): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    const response = await fetch(url)
    if ((await response.text()).includes(wanted)) return
    await pause(50)
  }
  throw new Error(`${url} did not say ${wanted} in 10 s`)
}
