import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { availableParallelism, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { nodeProcessStarter, type StartEngineProcess } from '../../src-main/engine/index.js'
import { failureOf } from '../../src-main/engine/run/failures.js'
import { type ModelProcess, startModelProcess } from '../../src-main/engine/run/model-process.js'
import { builtFile } from '../fixtures/built.js'
import { createRecordingLog } from '../fixtures/recording-log.js'
import { tinyModel } from './gguf.js'
import { installPinnedEngine, installRealModel } from './install.js'
import { startEmbeddedServer } from './llama-server.js'

/** The built program of the engine's processes around the real library, without a node. */
let folder: string
let library: string
let missing: string | undefined
const started: ModelProcess[] = []

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocf-engine-process-'))
  const installed = await installPinnedEngine()
  if ('missing' in installed) missing = installed.missing
  else library = installed.library
})
beforeEach((context) => context.skip(missing !== undefined, missing))
afterAll(async () => {
  await Promise.all(started.map((process) => process.stop()))
  await rm(folder, { recursive: true, force: true })
})

const plain = nodeProcessStarter({ entry: builtFile('main', 'engine.js') })

function load(modelPath: string, start: StartEngineProcess = plain, contextTokens = 512): ModelProcess {
  const process = startModelProcess(
    { start, log: createRecordingLog() },
    {
      ...{ library, modelPath, name: 'm', backend: 'cpu', gpuLayers: null },
      ...{ contextTokens, slots: 1 },
    },
  )
  started.push(process)
  return process
}

async function put(name: string, content: Buffer): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}

async function failure(path: string, start = plain): Promise<ReturnType<typeof failureOf>> {
  const process = load(path, start)
  expect(await process.ready).toBeUndefined()
  return failureOf(await process.ended)
}

test('what is wrong with a file is told in words, by what the library says of it', async () => {
  const future = tinyModel()
  future.write('zzzzz', future.indexOf('llama', future.indexOf('general.architecture')))
  expect(await failure(await put('future.gguf', future))).toEqual({
    sentence: 'The engine does not know this kind of model yet.',
    isFinal: true,
  })
  const whole = tinyModel()
  expect(await failure(await put('half.gguf', whole.subarray(0, whole.length / 2)))).toEqual({
    sentence: 'The file can’t be loaded: it is damaged or incomplete.',
    isFinal: true,
  })
  expect(await failure(join(folder, 'none.gguf'))).toEqual({ sentence: 'The file is gone.', isFinal: true })
})

/** As Electron's process looks to the library; whatever it starts as Node would be the app once more. */
const ELECTRON = `
  import child from 'node:child_process'
  import { syncBuiltinESMExports } from 'node:module'
  child.fork = () => { throw new Error('the app was started once more') }
  syncBuiltinESMExports()
  Object.defineProperty(process, 'versions', { value: { ...process.versions, electron: '45.0.0' } })
`

test('in an installed app a model is loaded without starting the app’s binary as Node', async () => {
  const start = Object.assign(
    (variables: Record<string, string>) =>
      plain({ ...variables, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(ELECTRON)}` }),
    { endsWithInput: true },
  )
  const process = load(await put('tiny.gguf', tinyModel()), start)
  const ready = await process.ready
  expect(ready, JSON.stringify(ready === undefined ? await process.ended : '')).toMatchObject({ backend: 'cpu' })
})

interface Timings {
  prompt_n: number
  prompt_ms: number
  predicted_n: number
  predicted_ms: number
}

const ROUNDS = 3
const CONTEXT = 2048

// The best of each is shown and decides nothing: other programs make both slower, and neither faster.
test('is measured beside llama.cpp’s own server, with the same file, in turns', async (context) => {
  const real = await installRealModel()
  const path = 'path' in real ? real.path : await put('beside.gguf', tinyModel())
  const threads = Math.max(1, availableParallelism() - 1)
  const server = await startEmbeddedServer(path, { threads, context: CONTEXT })
  if ('missing' in server) return context.skip(server.missing)
  const engine = load(path, plain, CONTEXT)
  const ready = await engine.ready
  const sides = [
    { who: 'our engine', origin: `http://127.0.0.1:${ready!.port}`, reads: 0, writes: 0 },
    { who: "llama.cpp's own server", origin: server.origin, reads: 0, writes: 0 },
  ]
  for (let round = 0; round < ROUNDS; round += 1) {
    // Another beginning each time: neither has it in its cache.
    const content = `${round} ${'The quick brown fox jumps over the lazy dog. '.repeat('path' in real ? 20 : 4)}`
    for (const side of round % 2 === 0 ? sides : sides.toReversed()) {
      const response = await fetch(`${side.origin}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${engine.token}`, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'm', temperature: 0, max_tokens: 16, messages: [{ role: 'user', content }] }),
      })
      const { timings } = (await response.json()) as { timings: Timings }
      expect(timings.predicted_n).toBeGreaterThan(0)
      side.reads = Math.max(side.reads, (timings.prompt_n * 1000) / timings.prompt_ms)
      side.writes = Math.max(side.writes, (timings.predicted_n * 1000) / timings.predicted_ms)
    }
  }
  await server.close()
  for (const { who, reads, writes } of sides) {
    process.stdout.write(`${who}: reads ${reads.toFixed(1)} tokens/s, writes ${writes.toFixed(1)} tokens/s\n`)
  }
})
