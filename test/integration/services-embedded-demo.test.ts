import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createEmbeddedDemo, createServiceRegistry } from '../../src-main/services/index.js'
import type { EmbeddedDemoOptions } from '../../src-main/services/process/embedded-demo.js'
import { startModelServer } from '../fixtures/model-servers/index.js'
import { createRecordingLog } from '../fixtures/recording-log.js'

const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function startNode(options: Partial<EmbeddedDemoOptions>, hasAnyServer = () => Promise.resolve(false)) {
  const dataDir = options.dataDir ?? (await mkdtemp(join(tmpdir(), 'ocf-demo-')))
  cleanups.push(() => rm(dataDir, { recursive: true, force: true }))
  const log = createRecordingLog()
  const registry = createServiceRegistry({ log }, { timings: { firstRetryMs: 5, refreshMs: 20 } })
  const demo = createEmbeddedDemo(
    { log, registry, hasAnyServer },
    { mode: 'auto', tokensPerSecond: 0, ...options, dataDir },
  )
  const signal = new AbortController().signal
  await registry.start(signal)
  cleanups.push(() => registry.stop())
  await demo.start(signal)
  cleanups.push(() => demo.stop())
  const until = (holds: () => boolean): Promise<void> =>
    new Promise((resolve) => {
      const look = (): void => {
        if (!holds()) return
        unsubscribe()
        resolve()
      }
      const unsubscribe = registry.subscribe(look)
      look()
    })
  return { registry, demo, log, dataDir, until }
}

test('who has nothing real gets the demo model, for this machine only', async () => {
  const { registry, until } = await startNode({})

  await until(() => registry.connected('llm').length === 1)

  expect(registry.connected('llm')).toMatchObject([{ published: false, identityGroups: ['model=ocf-demo'] }])
})

test('it steps aside for good once a real model is shared', async () => {
  const real = await startModelServer()
  cleanups.push(() => real.close())
  const { registry, demo, dataDir, until, log } = await startNode({})
  await until(() => registry.connected('llm').length === 1)

  const id = registry.add({ name: 'llm', port: real.port })
  await until(() => registry.list().every((service) => service.id === id) && registry.connected('llm').length === 1)
  await log.line('a real model is shared: the demo model steps aside for good')
  await demo.stop()

  expect(await readdir(dataDir)).toEqual(['demo-model-retired'])
  const next = await startNode({ dataDir })
  expect(next.registry.list()).toEqual([])
})

test('a real model for this machine only does not end it', async () => {
  const real = await startModelServer()
  cleanups.push(() => real.close())
  const { registry, until } = await startNode({})

  registry.add({ name: 'llm', port: real.port, visibility: 'me' })
  await until(() => registry.connected('llm').length === 2)

  expect(registry.list()).toHaveLength(2)
})

test('it is not offered where a model server runs already', async () => {
  const { registry } = await startNode({}, () => Promise.resolve(true))

  expect(registry.list()).toEqual([])
})

test('switched on it stays, also beside a real model, and can be shown to the network', async () => {
  const real = await startModelServer()
  cleanups.push(() => real.close())
  const { registry, until, dataDir } = await startNode({ mode: 'on', published: true, modelId: 'demo-2' })

  registry.add({ name: 'llm', port: real.port })
  await until(() => registry.connected('llm').length === 2)

  expect(registry.list().map((service) => [service.published, ...service.identityGroups])).toEqual([
    [true, 'model=demo-2'],
    [true, 'model=test-model'],
  ])
  expect(await readdir(dataDir)).toEqual([])
})

test('switched off it is not there', async () => {
  const { registry, demo } = await startNode({ mode: 'off' })

  expect(registry.list()).toEqual([])
  expect(demo.serviceId).toBeUndefined()
})

test('stopping takes it away with its server', async () => {
  const { registry, demo, until } = await startNode({ mode: 'on' })
  await until(() => registry.connected('llm').length === 1)
  const { port } = registry.list()[0]!

  await Promise.all([demo.stop(), demo.stop()])

  expect(registry.list()).toEqual([])
  await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow()
})
