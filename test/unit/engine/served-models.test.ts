import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { monotonicClock } from '../../../src-main/base/clock.js'
import { createFront, type Front } from '../../../src-main/engine/run/front.js'
import { createServedModels, type ServedModels } from '../../../src-main/engine/run/served-models.js'
import { createRecordingLog } from '../../fixtures/recording-log.js'
import { until } from '../../fixtures/until.js'
import { standInProcesses } from './stand-in-process.js'

const GIB = 1024 ** 3

let dir: string
let models: ServedModels
let processes: ReturnType<typeof standInProcesses>
let front: Front
let isInstalled: boolean
let elapsedMs: number
let freeBytes: number
const alive = new AbortController().signal

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ocf-served-'))
  processes = standInProcesses()
  isInstalled = true
  elapsedMs = 0
  freeBytes = 100 * GIB
  models = make()
  await models.start(alive)
  front = createFront({
    log: createRecordingLog(),
    list: () => [],
    lease: (model, signal) => models.lease(model, signal),
    metrics: () => '',
  })
  await front.start(alive)
})
afterEach(async () => {
  await front.stop()
  await models.stop()
  processes.stop()
  await rm(dir, { recursive: true, force: true })
})

const make = (): ServedModels =>
  createServedModels(
    {
      ...{ start: processes.start, log: createRecordingLog(), changed: () => undefined },
      monotonic: { elapsedMs: () => monotonicClock.elapsedMs() + elapsedMs },
      engine: () => (isInstalled ? { library: 'file:///engine.js', backend: 'cpu' } : undefined),
      budgetBytes: () => 8 * GIB,
      freeBytes: () => freeBytes,
      facts: () =>
        Promise.resolve({ sizeBytes: 3 * GIB, trainedTokens: 2048, cacheBytesPerToken: 1024, problem: null }),
      isPaused: () => false,
      idleMs: () => 3_600_000,
    },
    { file: join(dir, 'served.json') },
  )

async function serve(name: string): Promise<void> {
  const path = join(dir, `${name}.gguf`)
  await writeFile(path, name)
  await models.serve({ id: name, name, path }, {})
}

async function ask(model: string): Promise<{ status: number; body: string }> {
  const response = await fetch(`http://127.0.0.1:${front.port}/v1/chat/completions`, {
    ...{ method: 'POST', body: JSON.stringify({ model }) },
    headers: { authorization: `Bearer ${front.key}` },
  })
  return { status: response.status, body: await response.text() }
}

const stateOf = (name: string): unknown => models.byName(name)?.view().state

test('a model is loaded by its first request, once for all who wait, and answers through the front', async () => {
  await serve('one')
  expect(stateOf('one')).toBe('idle')
  const answers = await Promise.all([ask('one'), ask('one'), ask('one')])
  for (const answer of answers)
    expect(answer).toMatchObject({ status: 200, body: expect.stringContaining('one') as string })
  expect(processes.started).toHaveLength(1)
  expect(await ask('other')).toMatchObject({ status: 404, body: expect.stringContaining('model_not_found') as string })
})

test('the front is for this node alone', async () => {
  const url = `http://127.0.0.1:${front.port}`
  expect((await fetch(`${url}/v1/models`)).status).toBe(401)
  expect((await fetch(`${url}/v1/models`, { headers: { authorization: 'Bearer x' } })).status).toBe(401)
  expect((await fetch(`${url}/health`)).status).toBe(200)
})

test('where a third model needs room, the one that was asked the longest ago goes; one in use never does', async () => {
  for (const name of ['one', 'two', 'three']) await serve(name)
  await ask('two')
  await ask('one')
  await ask('three')
  expect([stateOf('one'), stateOf('two'), stateOf('three')]).toEqual(['ready', 'idle', 'ready'])
  await ask('one')
  const lease = await models.lease('one', alive)
  await ask('two')
  await ask('three')
  expect([stateOf('one'), stateOf('two'), stateOf('three')]).toEqual(['ready', 'idle', 'ready'])
  const second = await models.lease('three', alive)
  expect(await ask('two')).toMatchObject({ status: 429, body: expect.stringContaining('provider_busy') as string })
  second.release()
  expect((await ask('two')).status).toBe(200)
  lease.release()
})

test('what other programs take is not there for a model, what a loaded one takes is', async () => {
  await serve('one')
  await serve('two')
  freeBytes = 3.5 * GIB
  expect((await ask('one')).status).toBe(200)
  expect(processes.started[0]?.job.slots).toBe(4)
  freeBytes = 0.5 * GIB
  expect((await ask('two')).status).toBe(200)
  freeBytes = 1 * GIB
  await serve('three')
  await models.unloadAll()
  expect(await ask('three')).toMatchObject({ status: 502, body: expect.stringContaining('GB of memory') as string })
})

test('without the engine a request says so, and the model stays ready to be loaded', async () => {
  await serve('one')
  isInstalled = false
  expect(await ask('one')).toMatchObject({ status: 409, body: expect.stringContaining('engine_missing') as string })
  expect(stateOf('one')).toBe('idle')
})

test('a file the engine can’t load is told in words and not tried again until it is another file', async () => {
  await serve('one')
  processes.isReady = false
  const answer = ask('one')
  await until(() => processes.started[0], { what: 'its process is started' })
  processes.started[0]!.fail("unknown model architecture: 'future'")
  expect(await answer).toMatchObject({
    status: 502,
    body: expect.stringContaining('does not know this kind') as string,
  })
  elapsedMs += 3_600_000
  await models.byName('one')!.review()
  expect((await ask('one')).status).toBe(502)
  expect(processes.started).toHaveLength(1)
  processes.isReady = true
  await writeFile(join(dir, 'one.gguf'), 'another file')
  await models.byName('one')!.review()
  expect((await ask('one')).status).toBe(200)
})

test('a process that crashes again and again is started after longer and longer pauses, never at once', async () => {
  await serve('one')
  for (const [round, pauseMs] of [2_000, 4_000, 8_000].entries()) {
    expect((await ask('one')).status).toBe(200)
    processes.started.at(-1)!.crash('signal SIGKILL')
    await until(() => stateOf('one') === 'failed', { what: 'the crash is noticed' })
    expect((await ask('one')).status).toBe(502)
    elapsedMs += pauseMs - 1_000
    await models.byName('one')!.review()
    expect(stateOf('one')).toBe('failed')
    elapsedMs += 1_000
    await models.byName('one')!.review()
    expect(stateOf('one')).toBe('idle')
    expect(processes.started).toHaveLength(round + 1)
  }
})

test('a file that is replaced while it is loaded is loaded anew, and one that is gone is told', async () => {
  await serve('one')
  await ask('one')
  await writeFile(join(dir, 'one.gguf'), 'another file of another length')
  expect((await ask('one')).status).toBe(200)
  expect(processes.started.map(({ hasEnded }) => hasEnded)).toEqual([true, false])
  await rm(join(dir, 'one.gguf'))
  expect(await ask('one')).toMatchObject({ status: 502, body: expect.stringContaining('The file is gone.') as string })
  expect(processes.started.every(({ hasEnded }) => hasEnded)).toBe(true)
})

test('what is served is kept, changed in place, and forgotten when it is taken away', async () => {
  await serve('one')
  const one = { id: 'one', name: 'one', path: join(dir, 'one.gguf') }
  await models.serve(one, { visibility: 'trusted' })
  const measured = { tokensPerS: 20, promptMsPer1000: 900, atMs: 1 }
  await models.setMeasured('one', measured)
  await models.serve(one, { settings: { keepLoaded: false, slots: null } })
  expect(models.byName('one')?.record.measured).toEqual(measured)
  await models.serve(one, { settings: { slots: 2 } })
  expect(models.byName('one')?.record.measured).toBeNull()
  await expect(models.serve({ id: 'two', name: 'one', path: '/x.gguf' }, {})).rejects.toMatchObject({
    code: 'invalid_service',
  })
  const next = make()
  await next.start(alive)
  expect(next.byName('one')?.record).toMatchObject({ visibility: 'trusted', settings: { slots: 2, keepLoaded: false } })
  await next.remove('one')
  await next.stop()
  const last = make()
  await last.start(alive)
  expect(last.runners()).toEqual([])
  await last.stop()
})

test('what can’t be stored is not served, and what is taken away is not served in any case', async () => {
  await serve('one')
  const file = join(dir, 'served.json')
  await rm(file)
  // Nothing can be put in its place.
  await mkdir(join(file, 'folder'), { recursive: true })
  await expect(serve('two')).rejects.toMatchObject({
    code: 'data_dir_unusable',
    message: expect.stringMatching(/^Nothing was changed: .*served\.json can’t be written/) as string,
  })
  expect(models.byName('two')).toBeUndefined()
  const one = { id: 'one', name: 'one', path: join(dir, 'one.gguf') }
  await expect(models.serve(one, { visibility: 'everyone' })).rejects.toMatchObject({ code: 'data_dir_unusable' })
  expect(models.byName('one')?.record.visibility).toBe('me')
  await expect(models.remove('one')).rejects.toMatchObject({ code: 'data_dir_unusable' })
  expect(models.runners()).toEqual([])
})
