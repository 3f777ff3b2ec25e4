import { afterEach, expect, test } from 'vitest'
import { createDemoModelServer } from '../../src-main/demo-model/index.js'
import {
  createServiceRegistry,
  type LocalService,
  type RegistrationInput,
  type ServiceRegistry,
} from '../../src-main/services/index.js'
import {
  startEchoServer,
  startHtmlServer,
  startModelServer,
  startPathIdServer,
} from '../fixtures/model-servers/index.js'
import { startServerWithoutHealth } from '../fixtures/model-servers/index.js'
import { createRecordingLog } from '../fixtures/recording-log.js'

const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

function cleanedUp<T extends { close(): Promise<void> }>(thing: T): T {
  cleanups.push(() => thing.close())
  return thing
}

/** Quick, but patient with a server that answers: only who is silent on purpose is given little time. */
const QUICK = { refreshMs: 20, firstRetryMs: 5, probeTimeoutMs: 10_000, firstProbeTimeoutMs: 10_000, urgentGapMs: 1 }
/** Nothing happens by itself after the first look. */
const PATIENT = { ...QUICK, refreshMs: 600_000 }

async function startRegistry(
  input: RegistrationInput,
  timings: Partial<typeof QUICK> = QUICK,
): Promise<{ registry: ServiceRegistry; id: string; log: ReturnType<typeof createRecordingLog> }> {
  const log = createRecordingLog()
  const registry = createServiceRegistry({ log }, { timings: { ...QUICK, ...timings } })
  await registry.start(new AbortController().signal)
  cleanups.push(() => registry.stop())
  return { registry, log, id: registry.add({ healthIntervalMs: 20, ...input }) }
}

function until(
  registry: ServiceRegistry,
  id: string,
  holds: (service: LocalService) => boolean,
): Promise<LocalService> {
  return new Promise((resolve) => {
    const look = (): void => {
      const service = registry.get(id)
      if (service === undefined || !holds(service)) return
      unsubscribe()
      resolve(service)
    }
    const unsubscribe = registry.subscribe(look)
    look()
  })
}

/** A port on which nothing listens now. */
async function freePort(): Promise<number> {
  const server = await startModelServer()
  await server.close()
  return server.port
}

const isConnected = (service: LocalService): boolean => service.status === 'connected'
const isDown = (service: LocalService): boolean => service.status === 'down'

test('the demo model is registered under llm with its model', async () => {
  const demo = createDemoModelServer({ log: createRecordingLog() })
  await demo.start(new AbortController().signal)
  cleanups.push(() => demo.stop())
  const { registry, id } = await startRegistry({ name: 'llm', port: demo.port })

  const service = await until(registry, id, isConnected)

  expect(service.identityGroups).toEqual(['model=ocf-demo'])
  expect(service.models).toMatchObject([{ id: 'ocf-demo', ownedBy: 'open-compute-demo' }])
  expect(registry.connected('llm')).toEqual([service])
})

test('a server that comes up later is registered when it does', async () => {
  const port = await freePort()
  const { registry, id, log } = await startRegistry({ name: 'llm', port })
  await log.line('waiting for a local service')
  expect(registry.get(id)).toMatchObject({ status: 'starting', problem: 'nothing listens there' })

  cleanedUp(await startModelServer({ port }))

  expect(await until(registry, id, isConnected)).toMatchObject({ identityGroups: ['model=test-model'] })
})

test('a server that never comes is given up after the retries asked for', async () => {
  const port = await freePort()
  const { log, registry, id } = await startRegistry({ name: 'llm', port, healthRetries: 5 })

  const line = await log.line('a local service never answered and is given up')

  expect(line.fields).toMatchObject({ tries: 6 })
  expect(registry.get(id)).toMatchObject({ status: 'down' })
  expect(
    log.lines.filter(({ message }) => message === 'waiting for a local service').map((l) => l.fields.tries),
  ).toEqual([1, 2, 4])
})

test('a killed server goes down after three failed checks and comes back with its models', async () => {
  const first = cleanedUp(await startModelServer({ models: ['a', 'b'] }))
  const { registry, id } = await startRegistry({ name: 'llm', port: first.port })
  await until(registry, id, isConnected)

  await first.close()
  await until(registry, id, isDown)
  expect(registry.connected('llm')).toEqual([])
  cleanedUp(await startModelServer({ port: first.port, models: ['a', 'b'] }))

  expect(await until(registry, id, isConnected)).toMatchObject({ identityGroups: ['model=a', 'model=b'] })
})

test('a killed server is down at once when a request to it failed', async () => {
  const server = cleanedUp(await startModelServer())
  const { registry, id } = await startRegistry({ name: 'llm', port: server.port }, PATIENT)
  await until(registry, id, isConnected)
  await server.close()

  registry.reportFailure(id)

  expect(await until(registry, id, isDown)).toMatchObject({ problem: 'nothing listens there' })
})

test('a failed request alone does not take a healthy server down', async () => {
  const server = cleanedUp(await startModelServer())
  const { registry, id } = await startRegistry({ name: 'llm', port: server.port }, PATIENT)
  await until(registry, id, isConnected)
  await server.nextProbe()
  await server.nextProbe()
  const statuses: string[] = []
  registry.subscribe(() => statuses.push(registry.get(id)?.status ?? 'gone'))

  registry.reportFailure(id)
  await server.nextProbe()
  server.state.models = ['another']
  registry.reportFailure(id)

  await until(registry, id, (service) => service.identityGroups.includes('model=another'))
  expect(new Set(statuses)).toEqual(new Set(['connected']))
})

test('a silent server that answers requests is busy and stays', async () => {
  const server = cleanedUp(await startModelServer())
  const { registry, id, log } = await startRegistry(
    { name: 'llm', port: server.port },
    { ...QUICK, probeTimeoutMs: 30 },
  )
  await until(registry, id, isConnected)
  registry.reportSuccess(id)
  server.state.silent = true
  const checks = [server.nextProbe(), server.nextProbe(), server.nextProbe(), server.nextProbe(), server.nextProbe()]
  await Promise.all([...checks, server.nextProbe(), server.nextProbe(), server.nextProbe()])

  expect(registry.get(id)).toMatchObject({ status: 'connected' })
  expect(log.lines.map(({ message }) => message)).not.toContain(
    'a local service does not answer any more and is withdrawn',
  )
})

test('a silent server that answers nobody is withdrawn', async () => {
  const server = cleanedUp(await startModelServer())
  const { registry, id } = await startRegistry({ name: 'llm', port: server.port }, { ...QUICK, probeTimeoutMs: 30 })
  await until(registry, id, isConnected)

  server.state.silent = true

  expect(await until(registry, id, isDown)).toMatchObject({ problem: 'it does not answer in time' })
})

test('a server that says 503 is starting until it is ready', async () => {
  const server = cleanedUp(await startModelServer({ healthStatus: 503 }))
  const { registry, id, log } = await startRegistry({ name: 'llm', port: server.port })
  await log.line('waiting for a local service')
  expect(registry.get(id)).toMatchObject({ status: 'starting', problem: 'it says that it is still loading' })

  server.state.healthStatus = 200

  await until(registry, id, isConnected)
})

test('a server without a health page is alive because it tells its models', async () => {
  const server = cleanedUp(await startServerWithoutHealth())
  const { registry, id } = await startRegistry({ name: 'llm', port: server.port })

  await until(registry, id, isConnected)
})

test('a web page is no model server', async () => {
  const server = cleanedUp(await startHtmlServer())
  const { registry, id, log } = await startRegistry({ name: 'llm', port: server.port, healthRetries: 3 })

  await log.line('a local service never answered and is given up')

  expect(registry.get(id)).toMatchObject({ status: 'down', problem: 'GET /v1/models answers no list of models' })
})

test('a redirect is not followed', async () => {
  const target = cleanedUp(await startModelServer())
  const server = cleanedUp(
    await startModelServer({ rawModels: { status: 307, contentType: 'text/plain', body: target.origin } }),
  )
  const { registry, id, log } = await startRegistry({ name: 'llm', port: server.port, healthRetries: 1 })

  await log.line('a local service never answered and is given up')

  expect(registry.get(id)).toMatchObject({ problem: 'GET /v1/models answers 307' })
})

test('a list of models without end is refused', async () => {
  const server = cleanedUp(
    await startModelServer({
      rawModels: { status: 200, contentType: 'application/json', body: `{"data":["${'x'.repeat(5 * 1024 * 1024)}"]}` },
    }),
  )
  const { registry, id, log } = await startRegistry({ name: 'llm', port: server.port, healthRetries: 1 })

  await log.line('a local service never answered and is given up')

  expect(registry.get(id)?.problem).toBe('its answer is too long')
})

test('models that are files on the owner’s disk are published by their file names', async () => {
  const server = cleanedUp(await startPathIdServer())
  const { registry, id } = await startRegistry({ name: 'llm', port: server.port })

  const service = await until(registry, id, isConnected)

  expect(service.identityGroups).toEqual(['model=llama-3.gguf', 'model=phi-4.gguf'])
  expect(service.serverModelIds).toEqual(
    new Map([
      ['llama-3.gguf', '/home/someone/models/llama-3.gguf'],
      ['phi-4.gguf', 'C:\\models\\phi-4.gguf'],
    ]),
  )
  expect(service.models[0]).toMatchObject({ contextLength: 8192 })
})

test('a model added at the server appears, and one removed there disappears', async () => {
  const server = cleanedUp(await startModelServer({ models: ['a'] }))
  const { registry, id } = await startRegistry({ name: 'llm', port: server.port })
  await until(registry, id, isConnected)

  server.state.models = ['a', 'b']
  await until(registry, id, (service) => service.identityGroups.includes('model=b'))
  server.state.models = ['b']

  expect(await until(registry, id, (service) => service.identityGroups.length === 1)).toMatchObject({
    status: 'connected',
    identityGroups: ['model=b'],
  })
})

test('listeners hear nothing while nothing changes', async () => {
  const server = cleanedUp(await startModelServer())
  const { registry, id } = await startRegistry({ name: 'llm', port: server.port })
  await until(registry, id, isConnected)
  let calls = 0
  registry.subscribe(() => (calls += 1))

  for (let probes = 0; probes < 8; probes += 1) await server.nextProbe()

  expect(calls).toBe(0)
})

test('a generic service is alive by its health path and offers what its owner says', async () => {
  const server = cleanedUp(await startEchoServer())
  const { registry, id } = await startRegistry({
    name: 'echo',
    port: server.port,
    identityGroups: ['kind=echo', 'kind=*'],
  })

  const service = await until(registry, id, isConnected)

  expect(service).toMatchObject({ identityGroups: ['kind=echo', 'kind=*'], sharedPaths: [{ method: '*', path: '/*' }] })
})

test('a generic service without a health page is alive when it answers at all', async () => {
  const server = cleanedUp(await startModelServer({ healthStatus: 404 }))
  const { registry, id } = await startRegistry({ name: 'files', port: server.port, identityGroups: ['all'] })

  await until(registry, id, isConnected)
})

test('several services and several servers of one name stand side by side, published ones first', async () => {
  const [first, second, third] = await Promise.all([startModelServer(), startModelServer(), startEchoServer()])
  ;[first, second, third].forEach(cleanedUp)
  const { registry, id } = await startRegistry({ name: 'llm', port: first.port, visibility: 'me' })
  const otherId = registry.add({ name: 'llm', port: second.port })
  const echoId = registry.add({ name: 'echo', port: third.port })
  await Promise.all([id, otherId, echoId].map((each) => until(registry, each, isConnected)))

  expect(registry.connected('llm').map((service) => service.id)).toEqual([otherId, id])
  expect(registry.connected('echo').map((service) => service.id)).toEqual([echoId])
})

test('a gateway of this network is not taken for a model server', async () => {
  const models = [{ id: 'a', ocf: { providers: 1, local: false, servers: ['12D3KooW'] } }]
  const server = cleanedUp(await startModelServer({ models }))
  const { registry, id, log } = await startRegistry({ name: 'llm', port: server.port })
  await log.line('waiting for a local service')

  expect(registry.get(id)?.problem).toBe('it is a gateway that forwards to others, not a model server')
})

test('LM Studio is never asked for a health page it does not have', async () => {
  const server = cleanedUp(await startModelServer({ models: [{ id: 'a', owned_by: 'organization_owner' }] }))
  const { registry, id } = await startRegistry({ name: 'llm', port: server.port })
  await until(registry, id, isConnected)

  const probes = []
  for (let i = 0; i < 4; i += 1) probes.push((await server.nextProbe()).url)

  expect(new Set(probes)).toEqual(new Set(['/v1/models']))
})

test('a server without a list of models offers the models its owner names', async () => {
  const server = cleanedUp(
    await startModelServer({ rawModels: { status: 404, contentType: 'text/plain', body: 'not found' } }),
  )
  const { registry, id } = await startRegistry({ name: 'llm', port: server.port, identityGroups: ['model=bge-m3'] })

  expect(await until(registry, id, isConnected)).toMatchObject({ identityGroups: ['model=bge-m3'] })
})

test('a server that wants a key is told as such', async () => {
  const server = cleanedUp(await startModelServer({ rawModels: { status: 401, contentType: 'text/plain', body: '' } }))
  const { registry, id, log } = await startRegistry({ name: 'llm', port: server.port })
  await log.line('waiting for a local service')

  expect(registry.get(id)).toMatchObject({ status: 'starting', problem: 'it needs a key' })
})

test('models that do not fit are left out, and the log says which', async () => {
  const models = Array.from({ length: 250 }, (_, index) => `model-${index}`)
  const server = cleanedUp(await startModelServer({ models }))
  const { registry, id, log } = await startRegistry({ name: 'llm', port: server.port })

  expect((await until(registry, id, isConnected)).models.length).toBeLessThanOrEqual(200)
  expect((await log.line('some models are not published')).fields.count).toBeGreaterThanOrEqual(50)
})

test('a removed service is gone and its server is asked no more', async () => {
  const server = cleanedUp(await startModelServer())
  const { registry, id } = await startRegistry({ name: 'llm', port: server.port })
  await until(registry, id, isConnected)

  expect(await registry.remove(id)).toBe(true)

  expect(registry.list()).toEqual([])
  expect(await registry.remove(id)).toBe(false)
})

test('registering again changes what is offered without withdrawing the service', async () => {
  const server = cleanedUp(await startModelServer({ models: ['a', 'b'] }))
  const { registry, id } = await startRegistry({ name: 'llm', port: server.port }, PATIENT)
  await until(registry, id, isConnected)

  const again = registry.add({ name: 'llm', port: server.port, models: ['b'], aliases: new Map([['best', 'b']]) })

  expect(again).toBe(id)
  expect(registry.get(id)).toMatchObject({ status: 'connected', identityGroups: ['model=b', 'model=best'] })
  expect(registry.get(id)?.serverModelIds).toEqual(new Map([['best', 'b']]))
})

test('the owner’s key goes to the server and appears nowhere else', async () => {
  const server = cleanedUp(await startModelServer())
  const { registry, id, log } = await startRegistry({ name: 'llm', port: server.port, apiKey: 'secret-key' })
  await until(registry, id, isConnected)

  expect((await server.nextProbe()).headers.authorization).toBe('Bearer secret-key')
  expect(registry.apiKey(id)).toBe('secret-key')
  expect(JSON.stringify([registry.list(), log.lines])).not.toContain('secret-key')
})

test('a service on another machine is refused unless the owner allowed it', () => {
  const log = createRecordingLog()
  const strict = createServiceRegistry({ log })
  const open = createServiceRegistry({ log }, { allowRemoteTarget: true })

  for (const host of ['192.0.2.1', 'example.org', '0.0.0.0', '::', '2130706433', '127.0.0.1@192.0.2.1']) {
    expect(() => strict.add({ name: 'llm', host, port: 80 })).toThrow(
      expect.objectContaining({ code: 'invalid_service' }),
    )
  }
  expect(open.add({ name: 'llm', host: '192.0.2.1', port: 80 })).toBe('llm@192.0.2.1:80')
})

test('stopping twice is one stop, and nothing is registered afterwards', async () => {
  const server = cleanedUp(await startModelServer({ silent: true }))
  const { registry } = await startRegistry({ name: 'llm', port: server.port })
  await server.nextProbe()

  await Promise.all([registry.stop(), registry.stop()])

  expect(registry.list()).toEqual([])
  expect(() => registry.add({ name: 'llm', port: server.port })).toThrow(/stopping/)
})
