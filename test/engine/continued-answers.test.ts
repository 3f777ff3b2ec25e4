import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { flagsToJoin, llmFlags } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'
import { installEngine, installRealModel } from './install.js'

/** A real small model; the one with random weights says no text that could be read twice in the same way. */
const given = process.env['OCF_TEST_MODEL']
const fetched = given === undefined ? await installRealModel() : { path: given }
const MODEL = 'path' in fetched ? fetched.path : ''
/** Streams that are cut; `OCF_STREAMS=200` for the whole trial. */
const STREAMS = Number(process.env['OCF_STREAMS'] ?? 24)
const TOKENS = 28

const QUESTIONS = [
  'Once upon a time, there was a little dog who',
  'The capital of France is',
  'Es war einmal ein kleiner Hund, der',
  'To bake bread you need',
  'Die Straße führt über den',
  '北京是',
]

interface Server {
  port: number
  stop(): void
}

interface Provider {
  server: Server
  node: NodeProcess
}

const isThere = existsSync(MODEL)
let user: NodeProcess
const providers: Provider[] = []
const stops: (() => unknown)[] = []

async function startServer(entry: string): Promise<Server> {
  const script = join(import.meta.dirname, 'continuing-server.mjs')
  const child = spawn(process.execPath, [script, entry, MODEL], { stdio: ['ignore', 'pipe', 'inherit'] })
  const [line] = (await once(createInterface(child.stdout), 'line')) as [string]
  return { port: Number(line), stop: () => child.kill() }
}

const startProviderNode = (port: number): Promise<NodeProcess> =>
  startNodeProcess({ flags: ['--demo-model', 'off', ...llmFlags(port), ...flagsToJoin(user)] })

interface Listed {
  data: { id: string; ocf: { providers: number } }[]
}

const untilBoth = (): Promise<boolean> =>
  until(
    async () => {
      const { data } = (await (await fetch(`${user.gateway}/v1/models`)).json()) as Listed
      return data.find(({ id }) => id === 'real')?.ocf.providers === 2
    },
    { what: 'both providers are known', limitMs: 60_000 },
  )

beforeAll(async () => {
  if (!isThere) return
  const entry = await installEngine()
  user = await startNodeProcess({ flags: ['--demo-model', 'off'] })
  stops.push(() => user.stop())
  for (const server of await Promise.all([startServer(entry), startServer(entry)])) {
    stops.push(() => server.stop())
    providers.push({ server, node: await startProviderNode(server.port) })
  }
  stops.push(() => Promise.all(providers.map(({ node }) => node.stop())))
  await untilBoth()
})

afterAll(async () => {
  for (const stop of stops.toReversed()) await stop()
})

interface Told {
  text: string
  isWhole: boolean
  /** The longest time between two events, ms. */
  pauseMs: number
  by: string | null
}

async function tell(
  origin: string,
  question: string,
  at?: { tokens: number; then(by: string | null): unknown },
): Promise<Told> {
  const response = await fetch(`${origin}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      ...{ model: 'real', stream: true, temperature: 0, seed: 1, max_tokens: TOKENS },
      messages: [{ role: 'user', content: question }],
    }),
  })
  const by = response.headers.get('x-computing-node')
  let whole = ''
  let pauseMs = 0
  let lastMs = performance.now()
  let isDue = at !== undefined
  for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
    whole += piece
    pauseMs = Math.max(pauseMs, performance.now() - lastMs)
    lastMs = performance.now()
    if (!isDue || whole.split('"content"').length <= at!.tokens) continue
    isDue = false
    at!.then(by)
  }
  const texts = [...whole.matchAll(/"content":("(?:[^"\\]|\\.)*")/g)].map(([, text]) => JSON.parse(text!) as string)
  return {
    text: texts.join(''),
    isWhole: whole.trimEnd().endsWith('[DONE]') && !whole.includes('"error"'),
    pauseMs,
    by,
  }
}

test.skipIf(!isThere)(
  'streams of a real engine that are cut at any token end as if nothing had happened',
  async () => {
    const undisturbed = new Map<string, string>()
    for (const question of QUESTIONS) {
      undisturbed.set(question, (await tell(`http://127.0.0.1:${providers[0]!.server.port}`, question)).text)
    }
    const wrong: string[] = []
    const pauses: Record<string, number[]> = { cut: [], killed: [], stopped: [] }
    for (let index = 0; index < STREAMS; index += 1) {
      const question = QUESTIONS[index % QUESTIONS.length]!
      const kind = index % 20 === 19 ? 'stopped' : index % 5 === 4 ? 'killed' : 'cut'
      const tokens = 1 + ((index * 7) % (TOKENS - 4))
      let acting: Promise<unknown> | undefined
      const told = await tell(user.gateway, question, {
        tokens,
        then(by) {
          const provider = providers.find(({ node }) => node.peerId === by)!
          acting = ACTS[kind](provider)
        },
      })
      await acting
      if (!told.isWhole || told.text !== undisturbed.get(question)) {
        wrong.push(
          `${kind} at ${tokens}: ${JSON.stringify(told.text)} for ${JSON.stringify(undisturbed.get(question))}`,
        )
      }
      pauses[kind]!.push(told.pauseMs)
      for (const provider of providers) await revive(provider)
    }
    for (const [kind, all] of Object.entries(pauses)) {
      if (all.length > 0) {
        process.stdout.write(`${kind}: ${all.length} streams, longest pause ${Math.round(Math.max(...all))} ms\n`)
      }
    }
    process.stdout.write(`${STREAMS - wrong.length} of ${STREAMS} as if nothing had happened\n${wrong.join('\n')}\n`)
    expect(wrong.length).toBeLessThanOrEqual(Math.floor(STREAMS / 100))
  },
  3_600_000,
)

const dead = new Set<NodeProcess>()
const still = new Set<NodeProcess>()

const ACTS = {
  cut: ({ server }: Provider) => fetch(`http://127.0.0.1:${server.port}/cut`, { method: 'POST' }),
  async killed({ node }: Provider) {
    dead.add(node)
    await node.kill()
  },
  stopped({ node }: Provider) {
    still.add(node)
    process.kill(node.pid, 'SIGSTOP')
    return Promise.resolve()
  },
}

async function revive(provider: Provider): Promise<void> {
  if (still.delete(provider.node)) {
    process.kill(provider.node.pid, 'SIGCONT')
    await provider.node.stop()
    dead.add(provider.node)
  }
  if (!dead.delete(provider.node)) return
  provider.node = await startProviderNode(provider.server.port)
  await untilBoth()
}
