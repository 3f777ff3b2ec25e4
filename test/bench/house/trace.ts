import { join, resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { startBenchNode, startBenchWorker, type BenchNode } from '../processes.ts'

// Which files of src-main a streamed chat request passes: node test/bench/house/trace.ts [--source DIR] [--functions]
// "Passed" is a file of which a function runs for the request, on the node that asks and on the one that serves. The
// nodes run from their sources, so that trees with other folders and files can be compared.

const { values } = parseArgs({
  options: {
    source: { type: 'string', default: resolve(import.meta.dirname, '../../..') },
    functions: { type: 'boolean', default: false },
    rounds: { type: 'string', default: '4' },
  },
})

const HOOKS = join(import.meta.dirname, '../../fixtures/typescript-hooks.mjs')
const PROBE = join(import.meta.dirname, 'probe.mjs')

/** How long a node is watched, with and without a request, ms: longer than an answer takes. */
const WINDOW_MS = 1_500
const TOKENS = 20

/** A function that was executed; `at` is its place in the file. */
interface Executed {
  file: string
  name: string
  at: number
}

type Side = 'asking' | 'serving'
const SIDES = ['asking', 'serving'] as const satisfies readonly Side[]

const server = await startBenchWorker(join(import.meta.dirname, '../gateway/model-server.ts'))
const { port } = server.first as { port: number }
const asking = await startFromSource([])
const serving = await startFromSource([
  ...['--service.name', 'llm', '--service.port', String(port)],
  ...['--bootstrap.addr', tcpAddressOf(asking)],
])
const nodes: Record<Side, BenchNode> = { asking, serving }
try {
  await untilListed()
  // Connections are open and lazy parts loaded from then on.
  for (let warmUp = 0; warmUp < 3; warmUp += 1) await chat()
  for (const [side, executed] of Object.entries(await trace(Number(values.rounds)))) print(side as Side, executed)
} finally {
  for (const started of [serving, asking, server]) await started.stop()
}

function startFromSource(flags: readonly string[]): Promise<BenchNode> {
  return startBenchNode(['--demo-model', 'off', ...flags], {
    program: join(values.source, 'src-main/headless.ts'),
    execArgv: ['--no-warnings'],
    imports: [HOOKS, PROBE],
  })
}

function tcpAddressOf(node: BenchNode): string {
  const found = node.multiaddrs.find((address) => address.includes('/tcp/') && !address.includes('/ws'))
  if (found === undefined) throw new Error('the asking node does not listen on TCP')
  return found
}

async function untilListed(): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    const response = await fetch(`${asking.gateway}/v1/models`)
    if ((await response.text()).includes('"echo"')) return
    await pause(50)
  }
  throw new Error('the asking node did not list the model in 20 s')
}

async function chat(): Promise<void> {
  const response = await fetch(`${asking.gateway}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'echo', stream: true, tokens: TOKENS, messages: [{ role: 'user', content: 'Hi' }] }),
  })
  const text = await response.text()
  if (!response.ok || !text.includes('[DONE]')) throw new Error(`the request was answered with ${response.status}`)
}

/** What runs for a request in every round, without what runs in every quiet window as well. */
async function trace(rounds: number): Promise<Record<Side, Executed[]>> {
  const busy = await takenDuring(rounds, chat)
  const quiet = await takenDuring(rounds, () => Promise.resolve())
  const inAll = (windows: readonly Map<string, Executed>[], key: string): boolean =>
    windows.every((executed) => executed.has(key))
  const only = (side: Side): Executed[] =>
    [...(busy[side][0] ?? [])]
      .filter(([key]) => inAll(busy[side], key) && !inAll(quiet[side], key))
      .map(([, executed]) => executed)
  return { asking: only('asking'), serving: only('serving') }
}

async function takenDuring(rounds: number, work: () => Promise<void>): Promise<Record<Side, Map<string, Executed>[]>> {
  const windows: Record<Side, Map<string, Executed>[]> = { asking: [], serving: [] }
  for (let round = 0; round < rounds; round += 1) {
    await watch(work)
    for (const side of SIDES) windows[side].push(await taken(side))
  }
  return windows
}

/** Lets `work` and the rest of a window pass, with nothing counted from before. */
async function watch(work: () => Promise<void>): Promise<void> {
  for (const side of SIDES) await taken(side)
  await Promise.all([work(), pause(WINDOW_MS)])
}

async function taken(side: Side): Promise<Map<string, Executed>> {
  const executed = await nodes[side].ask<Executed[]>({})
  return new Map(executed.map((one) => [`${one.file} ${one.at}`, one]))
}

/** The room of a file: its folder below src-main. */
function roomOf(file: string): string {
  const [, folder = '', inside] = file.split('/')
  return inside === undefined ? '(root)' : folder
}

function print(side: Side, executed: readonly Executed[]): void {
  const files = Map.groupBy(executed, ({ file }) => file)
  const rooms = Map.groupBy(files.keys(), roomOf)
  console.log(`\n${side} node: ${files.size} files, ${executed.length} functions`)
  for (const [room, inRoom] of [...rooms].sort(([, a], [, b]) => b.length - a.length)) {
    console.log(`  ${room} ${inRoom.length}`)
    for (const file of inRoom.sort()) {
      const ran = files.get(file) ?? []
      const names = values.functions ? `: ${ran.map(({ name }) => name || '(unnamed)').join(', ')}` : ''
      console.log(`    ${file.replace('src-main/', '')} ${ran.length}${names}`)
    }
  }
}
