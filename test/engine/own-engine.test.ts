import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { controlFilePath, createControlClient } from '../../src-main/api/client.js'
import { nodeProcessStarter } from '../../src-main/engine/index.js'
import { type ModelProcess, startModelProcess } from '../../src-main/engine/run/model-process.js'
import { BUILT_DIR } from '../fixtures/built.js'
import { chat, flagsToJoin, untilListed } from '../fixtures/node-pair.js'
import { HEADLESS, startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { createRecordingLog } from '../fixtures/recording-log.js'
import { until } from '../fixtures/until.js'
import { tinyModel } from './gguf.js'
import { installRealModel } from './install.js'
import { startEmbeddedServer } from './llama-server.js'

const ENTRY = join(BUILT_DIR, 'main', 'engine.js')
const TINY = 'tiny-random'
const say = (line: string): boolean => process.stdout.write(`${line}\n`)

let folder: string
let tiny: string
let real: string | undefined
let user: NodeProcess
let provider: NodeProcess | undefined
/** Processes of the engine that no node started. */
const workers: ModelProcess[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocf-own-engine-'))
  tiny = join(folder, `${TINY}.gguf`)
  await writeFile(tiny, tinyModel())
  const fetched = await installRealModel()
  real = 'path' in fetched ? fetched.path : undefined
  if ('missing' in fetched) say(`without a real model: ${fetched.missing}`)
  user = await startNodeProcess({ flags: ['--demo-model', 'off'] })
})
afterAll(async () => {
  await Promise.all(workers.map((worker) => worker.stop()))
  await provider?.stop()
  await user.stop()
  await rm(folder, { recursive: true, force: true })
})

/** The engine that the provider has fetched. */
const library = (): string =>
  pathToFileURL(join(folder, 'provider', 'engine', 'program', 'node_modules', 'node-llama-cpp', 'dist', 'index.js'))
    .href

// Times are shown and decide nothing: goals on two idle cores are 15 s, half of the first turn, and 200 ms.
test('one command serves a file from an empty data folder, and another node streams from it', async () => {
  const startedMs = performance.now()
  provider = await startNodeProcess({
    command: ['serve', tiny, '--share', 'everyone', '--yes'],
    dataDir: join(folder, 'provider'),
    flags: ['--engine.idle', '3s', '--engine.folders', folder, ...flagsToJoin(user)],
  })
  const servedMs = performance.now()
  await untilListed(user.gateway, TINY)
  const response = await chat(user.gateway, { model: TINY, stream: true, max_tokens: 16, temperature: 0 })
  const reader = response.body!.getReader()
  const first = await reader.read()
  const firstMs = performance.now() - startedMs
  say(
    `from nothing to the first token on another node: ${ms(firstMs)} (fetched and started: ${ms(servedMs - startedMs)})`,
  )
  // All of it may have come at once.
  let text = new TextDecoder().decode(first.value)
  for (let next = await reader.read(); !next.done; next = await reader.read())
    text += new TextDecoder().decode(next.value)
  expect(response.headers.get('x-computing-node')).toBe(provider.peerId)
  expect(text.trimEnd().endsWith('data: [DONE]')).toBe(true)
})

test('an idle model gives its memory back: its process is gone, and the node is as large as before', async () => {
  const client = createControlClient({ controlFile: controlFilePath(provider!.dataDir) })
  const model = async () => (await client.call('engine.get', {})).served[0]!
  const processes = async (): Promise<number> => {
    const { stdout } = await promisify(execFile)('ps', ['-eo', 'ppid=,args='])
    return stdout.split('\n').filter((line) => line.trim().startsWith(`${provider!.pid} `) && line.includes(ENTRY))
      .length
  }
  await until(async () => (await model()).state === 'idle', { what: 'it is unloaded' })
  const beforeMiB = provider!.rssMiB()
  for (let round = 0; round < 3; round += 1) {
    expect((await chat(user.gateway, { model: TINY, max_tokens: 4 })).status).toBe(200)
    expect(await model()).toMatchObject({ state: 'ready', running: { slots: 4, backend: 'cpu' } })
    expect(await processes()).toBe(1)
    await until(async () => (await model()).state === 'idle', { what: 'it is unloaded again' })
    await until(async () => (await processes()) === 0, { what: 'its process has ended' })
  }
  const afterMiB = provider!.rssMiB()
  say(`the node before and after three loads: ${beforeMiB.toFixed(0)} and ${afterMiB.toFixed(0)} MiB`)
  expect(afterMiB).toBeLessThan(beforeMiB * 1.1)
})

test('a model whose process is killed is told, withdrawn, left alone for a while and served again', async () => {
  const client = createControlClient({ controlFile: controlFilePath(provider!.dataDir) })
  const model = async () => (await client.call('engine.get', {})).served[0]!
  expect((await chat(provider!.gateway, { model: TINY, max_tokens: 4 })).status).toBe(200)
  const { stdout } = await promisify(execFile)('ps', ['-eo', 'pid=,ppid=,args='])
  const line = stdout.split('\n').find((one) => one.includes(ENTRY) && one.includes(` ${provider!.pid} `))
  process.kill(Number(line!.trim().split(/\s+/)[0]), 'SIGKILL')
  const failed = await until(async () => ((await model()).state === 'failed' ? await model() : undefined), {
    what: 'the end is noticed',
  })
  expect(failed.problem).toBe('The system ended its process, most likely for lack of memory.')
  await until(async () => (await model()).state === 'idle', { what: 'its pause is over' })
  await untilListed(user.gateway, TINY)
  expect((await chat(user.gateway, { model: TINY, max_tokens: 4 })).status).toBe(200)
})

test('a killed node leaves no process of the engine behind', async () => {
  const dataDir = join(folder, 'provider')
  expect((await chat(provider!.gateway, { model: TINY, max_tokens: 4 })).status).toBe(200)
  await provider!.kill()
  const left = async (): Promise<boolean> => (await promisify(execFile)('ps', ['-eo', 'args='])).stdout.includes(ENTRY)
  await until(async () => !(await left()), { what: 'the process has ended with its node' })
  const { stdout } = await promisify(execFile)(process.execPath, [HEADLESS, 'engine', '--data-dir', dataDir])
  expect(stdout).toContain('The engine is installed')
  expect(existsSync(tiny)).toBe(true)
  provider = undefined
})

/** A process of the engine, asked directly. */
async function worker(path: string, options: { contextTokens: number; slots: number }) {
  const started = startModelProcess(
    { start: nodeProcessStarter({ entry: ENTRY }), log: createRecordingLog() },
    { library: library(), modelPath: path, name: 'm', backend: 'cpu', gpuLayers: null, ...options },
  )
  workers.push(started)
  const ready = await started.ready
  if (ready === undefined) throw new Error(JSON.stringify(await started.ended))
  const headers = { authorization: `Bearer ${started.token}` }
  const origin = `http://127.0.0.1:${ready.port}`
  return {
    ask: (body: object, init: RequestInit = {}) =>
      fetch(`${origin}/v1/chat/completions`, {
        ...{ method: 'POST', headers, body: JSON.stringify({ model: 'm', temperature: 0, ...body }) },
        ...init,
      }),
    stats: async () => (await (await fetch(`${origin}/stats`, { headers })).json()) as Record<string, number>,
    stop: () => started.stop(),
  }
}

const user1 = (content: string) => ({ role: 'user', content })
const LONG = 'The quick brown fox jumps over the lazy dog. '.repeat(60)

async function firstTokenMs(answer: Promise<Response>): Promise<number> {
  const startedMs = performance.now()
  const reader = (await answer).body!.getReader()
  await reader.read()
  const tookMs = performance.now() - startedMs
  for (;;) if ((await reader.read()).done) return tookMs
}

test('who leaves frees a slot at once, four share the cache, and the second turn reads only what is new', async () => {
  const engine = await worker(real ?? tiny, { contextTokens: 4096, slots: 4 })
  const messages = [user1(`${LONG}What does the fox do?`)]
  const firstMs = await firstTokenMs(engine.ask({ messages, stream: true, max_tokens: 8 }))
  const more = [...messages, { role: 'assistant', content: 'It jumps.' }, user1('Over what?')]
  const secondMs = await firstTokenMs(engine.ask({ messages: more, stream: true, max_tokens: 8 }))
  say(`first token: first turn ${ms(firstMs)}, second turn ${ms(secondMs)}`)
  const again = await engine.ask({ messages: more, max_tokens: 1 })
  const { usage: read } = (await again.json()) as {
    usage: { prompt_tokens: number; prompt_tokens_details: { cached_tokens: number } }
  }
  expect(read.prompt_tokens_details.cached_tokens).toBeGreaterThan(read.prompt_tokens * 0.9)

  for (const [what, content, waitsFor] of [
    ['while it writes', 'Tell a long story.', 'token'],
    ['while it reads', `Another text: ${LONG.toUpperCase()}`, 'slot'],
  ] as const) {
    const leave = new AbortController()
    const answer = engine.ask({ messages: [user1(content)], stream: true, max_tokens: 2000 }, { signal: leave.signal })
    answer.catch(() => undefined)
    if (waitsFor === 'token') await (await answer).body!.getReader().read()
    await until(async () => (await engine.stats())['busySlots'] === 1, { what: 'a slot is taken', everyMs: 5 })
    const leftMs = performance.now()
    leave.abort()
    await until(async () => (await engine.stats())['busySlots'] === 0, { what: 'the slot is free', everyMs: 5 })
    say(`a slot is free ${ms(performance.now() - leftMs)} after its client left ${what}`)
  }

  const startedMs = performance.now()
  const answers = await Promise.all(
    [1, 2, 3, 4].map(async (n) => {
      const response = await engine.ask({ messages: [user1(`Count to ${n} and then go on.`)], max_tokens: 16 })
      return (await response.json()) as { usage: { completion_tokens: number } }
    }),
  )
  say(`four at once: ${ms(performance.now() - startedMs)}`)
  for (const { usage } of answers) expect(usage.completion_tokens).toBeGreaterThan(0)
  expect((await engine.stats())['requests']).toBe(9)
  await engine.stop()
})

test('goes on with an answer that another process of the same file began', async (context) => {
  if (real === undefined) return context.skip('a model with random weights says no text that could be read again')
  const engine = await worker(real, { contextTokens: 2048, slots: 1 })
  const say24 = async (messages: object[]): Promise<string> => {
    const response = await engine.ask({ messages, max_tokens: 24 })
    const { choices } = (await response.json()) as { choices: { message: { content: string } }[] }
    return choices[0]!.message.content
  }
  for (const question of ['Once upon a time, there was a little dog who', 'To bake bread you need']) {
    const whole = await say24([user1(question)])
    for (const [cut] of [...whole.matchAll(/(?<=\S) /g)].map(({ index }) => [index] as const)) {
      const begun = whole.slice(0, cut)
      const rest = await say24([user1(question), { role: 'assistant', content: begun }])
      expect(`${begun}${rest}`.slice(0, whole.length)).toBe(whole)
    }
  }
  await engine.stop()
})

test('the server costs little beside a bare loop around the same library, and beside llama.cpp’s own server', async () => {
  const path = real ?? tiny
  const bare = await promisify(execFile)(process.execPath, [
    ...[join(import.meta.dirname, 'bare-loop.mjs'), library(), path],
    ...['512', '32'],
  ])
  const { promptMs, answerMs, count } = JSON.parse(bare.stdout) as Record<string, number>
  const engine = await worker(path, { contextTokens: 4096, slots: 1 })
  const body = { messages: [user1(LONG.slice(0, path === tiny ? 500 : 2300))], max_tokens: 32 }
  const response = await engine.ask(body)
  const { timings } = (await response.json()) as { timings: Record<string, number> }
  const perS = (tokens: number, tookMs: number): string => `${((tokens * 1000) / tookMs).toFixed(1)} tokens/s`
  say(`bare loop: reads ${perS(511, promptMs!)}, writes ${perS(count!, answerMs!)}`)
  const told = (who: string, { prompt_n, prompt_ms, predicted_n, predicted_ms }: Record<string, number>): boolean =>
    say(`${who}: reads ${perS(prompt_n!, prompt_ms!)}, writes ${perS(predicted_n!, predicted_ms!)}`)
  told('our engine', timings)
  expect(timings['predicted_n']).toBeGreaterThan(0)
  await engine.stop()

  const threads = Math.max(1, availableParallelism() - 1)
  const server = await startEmbeddedServer(path, { threads, context: 4096 })
  if ('missing' in server) {
    say(`llama.cpp's own server is left out: ${server.missing}`)
    return
  }
  const theirs = await fetch(`${server.origin}/v1/chat/completions`, {
    ...{ method: 'POST', body: JSON.stringify({ model: 'm', temperature: 0, ...body }) },
    headers: { 'content-type': 'application/json' },
  })
  told("llama.cpp's own server", ((await theirs.json()) as { timings: Record<string, number> }).timings)
  await server.close()
})

const ms = (value: number): string => `${Math.round(value)} ms`
