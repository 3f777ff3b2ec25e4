import { once } from 'node:events'
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { ShareView } from '#shared/contract/sharing/shares.js'
import type { Visibility } from '#shared/contract/sharing/visibility.js'
import { AppError } from '#shared/errors.js'
import { createDetector, type Detector } from '../../src-main/services/detection/index.js'
import { createServiceRegistry, type PeerClass, type ServiceRegistry } from '../../src-main/services/index.js'
import { createSecretFile, type SecretStore } from '../../src-main/services/secrets/index.js'
import { createShares, type Shares } from '../../src-main/services/sharing/shares/index.js'
import { OWNER_FILE } from '../fixtures/file-modes.js'
import * as servers from '../fixtures/model-servers/stand-ins/servers.js'
import { startStandIn, type StandIn, type StandInModel } from '../fixtures/model-servers/stand-ins/stand-in.js'
import { createRecordingLog } from '../fixtures/recording-log.js'
import { mountSmallDisk, whyNoSmallDisk } from '../fixtures/small-disk.js'
import { until } from '../fixtures/until.js'

let folder: string
const cleanups: (() => Promise<unknown>)[] = []

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocf-shares-'))
})
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
  await rm(folder, { recursive: true, force: true })
})

async function running(model: StandInModel): Promise<StandIn> {
  const server = await startStandIn(model)
  cleanups.push(() => server.close())
  return server
}

interface Donor {
  registry: ServiceRegistry
  shares: Shares
  detector: Detector
  stop(): Promise<void>
}

async function donor(around: { dir?: string; secrets?: (file: SecretStore) => SecretStore } = {}): Promise<Donor> {
  const { dir = folder, secrets: within = (file) => file } = around
  const log = createRecordingLog()
  const timings = { refreshMs: 20, firstRetryMs: 5, urgentGapMs: 1 }
  const registry = createServiceRegistry({ log }, { timings })
  const detector = createDetector(
    {
      log,
      keyFor: (address) => shares.keyFor(address),
      sharedAs: (address) => shares.sharedAs(address),
      remembered: (address) => shares.remembered(address),
      ownPorts: () => [],
      hopHeaders: {},
    },
    { candidates: [], answerMs: 10_000, connectMs: 10_000 },
  )
  const secrets = within(createSecretFile({ log }, { file: join(dir, 'secrets.json') }))
  const shares = createShares(
    { registry, detector: () => detector, secrets, clock: Date, log },
    { file: join(dir, 'shares.json') },
  )
  await registry.start(new AbortController().signal)
  await shares.start(new AbortController().signal)
  const stop = async (): Promise<void> => {
    await shares.stop()
    await registry.stop()
    await detector.stop()
  }
  cleanups.push(stop)
  return { registry, shares, detector, stop }
}

const at = ({ port }: StandIn) => ({ host: '127.0.0.1', port, visibility: 'everyone' as const, aliases: [] })

test('only ticked models are published, a path as its file name, aliases besides', async () => {
  const server = await running(servers.LLAMA_CPP())
  const { shares, registry } = await donor()

  const { id } = await shares.add({
    ...at(server),
    models: ['Qwen3-8B-Q4_K_M.gguf'],
    aliases: [{ name: 'qwen', model: 'Qwen3-8B-Q4_K_M.gguf' }],
  })

  await until(() => registry.get(id)?.status === 'connected', { what: 'it is connected' })
  expect(registry.get(id)).toMatchObject({
    identityGroups: ['model=Qwen3-8B-Q4_K_M.gguf', 'model=qwen'],
    onlyTicked: true,
  })
  expect(registry.get(id)?.serverModelIds.get('qwen')).toBe('/home/anna/models/Qwen3-8B-Q4_K_M.gguf')
  expect(shares.list()).toMatchObject([{ kind: 'llama.cpp', published: ['Qwen3-8B-Q4_K_M.gguf', 'qwen'] }])
})

test.each([
  ['Docker Model Runner', servers.DOCKER_MODEL_RUNNER, '/engines'],
  ['Lemonade', servers.LEMONADE, '/api'],
])('%s is reached under the prefix of its own', async (_, model, basePath) => {
  const server = await running(model())
  const { shares, registry } = await donor()
  const { id } = await shares.add({ ...at(server), models: 'all' })
  await until(() => registry.get(id)?.status === 'connected', { what: 'it is connected' })
  expect(registry.get(id)?.basePath).toBe(basePath)
})

test.each([
  ['SGLang', servers.SGLANG],
  ['TGI', servers.TGI],
])('%s is watched without making it generate', async (_, model) => {
  const server = await running(model())
  const { shares, registry } = await donor()
  const { id } = await shares.add({ ...at(server), models: 'all' })
  await until(() => registry.get(id)?.status === 'connected', { what: 'it is connected' })
  await until(() => server.seen.filter((name) => name === 'GET /v1/models').length > 4, { what: 'some checks' })
  expect(server.seen).not.toContain('GET /health')
})

test('several servers are remembered with their keys, which stand in a file only the owner can read', async () => {
  const jan = await running(servers.JAN())
  const ollama = await running(servers.OLLAMA())
  const first = await donor()
  await expect(first.shares.add({ ...at(jan), models: 'all' })).rejects.toMatchObject({
    code: 'invalid_service',
    param: 'apiKey',
  })
  await first.shares.add({ ...at(jan), models: 'all', apiKey: 'jan-secret' })
  await first.shares.add({ ...at(ollama), models: ['llama3.2:latest'] })
  expect(await readFile(join(folder, 'shares.json'), 'utf8')).not.toContain('jan-secret')
  expect((await stat(join(folder, 'secrets.json'))).mode & 0o777).toBe(OWNER_FILE)
  await first.stop()

  const second = await donor()

  await until(() => second.registry.connected('llm').length === 2, { what: 'both are back' })
  const groups = second.registry.connected('llm').flatMap(({ identityGroups }) => identityGroups)
  expect(groups.sort()).toEqual(['api=ollama', 'model=jan-v1-4b', 'model=llama3.2:latest'])
  expect(second.shares.list().map(({ hasKey }) => hasKey)).toEqual([true, false])
  await second.shares.remove(second.shares.list()[0]!.id)
  expect(await readFile(join(folder, 'secrets.json'), 'utf8')).not.toContain('jan-secret')
})

test('a key that was typed in while looking is the one that is kept', async () => {
  const jan = await running(servers.JAN())
  const { shares, detector } = await donor()
  await detector.typeIn({ host: 'localhost', port: jan.port, apiKey: 'jan-secret' })
  await shares.add({ host: 'localhost', port: jan.port, models: 'all', visibility: 'everyone', aliases: [] })
  expect(shares.list()).toMatchObject([{ hasKey: true }])
  expect(detector.servers()).toMatchObject([{ sharedAs: `llm@127.0.0.1:${jan.port}` }])
})

test.each(['llama3.2', 'LLAMA3.2:latest', 'library/llama3.2', 'library/Llama3.2:LATEST'])(
  'a model of Ollama is shared by any name that Ollama takes for it: %s',
  async (name) => {
    const { shares } = await donor()
    const ollama = await running(servers.OLLAMA())
    const share = await shares.add({ ...at(ollama), models: [name], aliases: [{ name: 'further', model: name }] })
    expect(share).toMatchObject({
      models: ['llama3.2:latest'],
      aliases: [{ name: 'further', model: 'llama3.2:latest' }],
    })
  },
)

test('a model of another server is shared by its own name alone, and the near one is told', async () => {
  const { shares } = await donor()
  const server = await running({
    routes: { 'GET /v1/models': { body: { object: 'list', data: [{ id: 'llama3.2:latest', owned_by: 'someone' }] } } },
  })
  await expect(shares.add({ ...at(server), models: ['llama3.2'] })).rejects.toMatchObject({
    code: 'invalid_service',
    message: expect.stringContaining('llama3.2:latest') as string,
  })
})

test('unticking a model takes it out, and the server stays', async () => {
  const server = await running(servers.OLLAMA())
  const { shares, registry } = await donor()
  const { id } = await shares.add({ ...at(server), models: 'all' })
  await until(() => registry.get(id)?.identityGroups.length === 3, { what: 'both, and whose they are' })
  await shares.add({ ...at(server), models: ['llama3.2:latest'] })
  expect(registry.get(id)?.identityGroups).toEqual(['model=llama3.2:latest', 'api=ollama'])
  expect(registry.list()).toHaveLength(1)
})

test.each<[string, () => StandInModel, object]>([
  ['a gateway', servers.OCF_GATEWAY, {}],
  ['a web page', servers.OPEN_WEBUI, {}],
  ['a model the server does not have', servers.OLLAMA, { models: ['gpt-5'] }],
  [
    'a name that is another model’s',
    servers.OLLAMA,
    { aliases: [{ name: 'llama3.2:latest', model: 'llama3.2:latest' }] },
  ],
  ['a name that can’t be announced', servers.OLLAMA, { aliases: [{ name: '*', model: 'llama3.2:latest' }] }],
  ['a name for a model that is not shared', servers.OLLAMA, { aliases: [{ name: 'x', model: 'gpt-5' }] }],
])('%s is not shared', async (_, model, request) => {
  const server = await running(model())
  const { shares, registry } = await donor()
  await expect(shares.add({ ...at(server), models: 'all', ...request })).rejects.toMatchObject({
    code: 'invalid_service',
  })
  expect(registry.list()).toEqual([])
  expect(shares.list()).toEqual([])
})

test('another machine is not shared', async () => {
  const { shares } = await donor()
  await expect(shares.add({ host: '169.254.169.254', port: 80, models: 'all', aliases: [] })).rejects.toMatchObject({
    code: 'invalid_service',
    param: 'host',
  })
})

test('odd entries of the kept file are left out, the others are restored', async () => {
  const server = await running(servers.OLLAMA())
  const good = { host: '127.0.0.1', port: server.port, kind: 'ollama', healthPath: '/', models: 'all' }
  const odd = [
    { ...good, host: '10.0.0.1' },
    { ...good, port: 0 },
    { ...good, basePath: '/../..' },
    { ...good, kind: 'gateway' },
    { ...good, healthPath: '/x y' },
    'nonsense',
    null,
  ]
  await writeFile(join(folder, 'shares.json'), JSON.stringify({ format: 1, shares: [...odd, good] }))
  const { registry, shares } = await donor()
  await until(() => registry.connected('llm').length === 1, { what: 'the good one is back' })
  expect(shares.list()).toHaveLength(1)
  expect(registry.list()).toHaveLength(1)
})

test('a kept file that is no JSON shares nothing and stays as it is', async () => {
  await writeFile(join(folder, 'shares.json'), '{"format":1,"shares":[')
  const { registry } = await donor()
  expect(registry.list()).toEqual([])
  expect(await readFile(join(folder, 'shares.json'), 'utf8')).toBe('{"format":1,"shares":[')
})

test('a kept file that is no JSON is put aside before another one is written', async () => {
  await writeFile(join(folder, 'shares.json'), '{"format":1,"shares":[')
  const server = await running(servers.OLLAMA())
  const { shares } = await donor()
  await shares.add({ ...at(server), models: 'all' })
  expect(await readFile(join(folder, 'shares.json.damaged'), 'utf8')).toBe('{"format":1,"shares":[')
})

describe('who may use it', () => {
  const plain = ({ port }: StandIn) => ({ host: '127.0.0.1', port, aliases: [] })
  const OTHER = 'hf.co/someone/phi-4:Q4_K_M'

  async function sharing(request: {
    visibility?: Visibility
    visibilities?: { model: string; visibility: Visibility }[]
  }) {
    const server = await running(servers.OLLAMA())
    const parts = await donor()
    const { id } = await parts.shares.add({ ...plain(server), models: 'all', ...request })
    await until(() => parts.registry.get(id)?.status === 'connected', { what: 'it is connected' })
    const seen = (peers: PeerClass): string[] =>
      parts.registry.sharedWith(peers).flatMap((one) => one.models.map((model) => model.id))
    return { ...parts, id, server, seen }
  }

  test('is this machine alone, unless the person says otherwise', async () => {
    const { registry, seen, shares } = await sharing({})
    expect(registry.connected('llm')[0]?.models.map(({ id }) => id)).toEqual(['llama3.2:latest', OTHER])
    expect([seen('trusted'), seen('stranger')]).toEqual([[], []])
    expect(registry.sharedWith('trusted')).toEqual([])
    expect(shares.list()[0]).toMatchObject({ visibility: 'me', published: [] })
  })

  test('is said of each model, and changed for one of them, by any of its names', async () => {
    const { shares, seen, id } = await sharing({ visibilities: [{ model: OTHER, visibility: 'trusted' }] })
    expect([seen('trusted'), seen('stranger')]).toEqual([[OTHER], []])
    const share = await shares.setVisibility(id, 'llama3.2:latest', 'everyone')
    expect([seen('trusted'), seen('stranger')]).toEqual([['llama3.2:latest', OTHER], ['llama3.2:latest']])
    expect(share.names).toEqual([
      { name: 'llama3.2:latest', visibility: 'everyone' },
      { name: OTHER, visibility: 'trusted' },
    ])
    await expect(shares.setVisibility(id, 'absent', 'everyone')).rejects.toMatchObject({ code: 'invalid_service' })
    await expect(shares.setVisibility('llm@127.0.0.1:1', OTHER, 'me')).rejects.toMatchObject({ code: 'not_found' })
  })

  test('of models that appear later is what was said of those', async () => {
    const { shares, server, registry, seen, id } = await sharing({ visibility: 'trusted' })
    await shares.setVisibility(id, undefined, 'everyone')
    const before = server.model.routes['GET /v1/models'] as { body: { data: { id: string }[] } }
    const { body } = before
    server.model.routes['GET /v1/models'] = {
      ...before,
      body: { ...body, data: [...body.data, { ...body.data[0], id: 'new' }] },
    }
    await registry.recheck(id)
    expect(seen('stranger')).toEqual(['new'])
    expect(shares.list()[0]?.choices.find(({ model }) => model === 'new')).toEqual({
      model: 'new',
      ticked: true,
      visibility: 'everyone',
    })
  })

  test('stays what it was when it is shared anew, and what was un-ticked stays so through a stop', async () => {
    const { shares, server, seen, id } = await sharing({ visibility: 'trusted' })
    await shares.add({ ...plain(server), models: [OTHER] })
    expect(seen('trusted')).toEqual([OTHER])
    await shares.remove(id)
    const address = `127.0.0.1:${server.port}`
    expect(shares.remembered(address)).toMatchObject({
      all: false,
      models: [
        { model: 'llama3.2:latest', ticked: false, visibility: 'trusted' },
        { model: OTHER, ticked: true, visibility: 'trusted' },
      ],
    })
    const next = await donor()
    expect(next.shares.remembered(address)).toEqual(shares.remembered(address))
    await next.shares.add({ ...plain(server), models: 'all', except: ['llama3.2:latest'] })
    expect(next.shares.remembered(address)).toBeUndefined()
    expect(next.shares.list()[0]?.choices).toEqual([
      { model: 'llama3.2:latest', ticked: false, visibility: 'trusted' },
      { model: OTHER, ticked: true, visibility: 'trusted' },
    ])
  })

  test('is narrower at once even where that can’t be stored, and wider only once it is', async () => {
    const { shares, seen, id } = await sharing({ visibility: 'trusted' })
    await block('shares.json')
    await expect(shares.setVisibility(id, OTHER, 'everyone')).rejects.toThrow(/^Who may use it stays as it was: /)
    expect(seen('stranger')).toEqual([])
    await expect(shares.setVisibility(id, OTHER, 'me')).rejects.toThrow(/^This holds until the next start: /)
    expect(seen('trusted')).toEqual(['llama3.2:latest'])
  })

  test('of shares of an earlier version is everyone, which the person hears once', async () => {
    const server = await running(servers.OLLAMA())
    const old = {
      host: '127.0.0.1',
      port: server.port,
      kind: 'ollama',
      healthPath: '/',
      models: ['llama3.2:latest'],
      sharedAtMs: 1,
    }
    await writeFile(join(folder, 'shares.json'), JSON.stringify({ format: 1, shares: [old] }))
    const first = await donor()
    expect(first.shares.wasUpgraded).toBe(true)
    expect(first.shares.list()[0]?.choices).toEqual([
      { model: 'llama3.2:latest', ticked: true, visibility: 'everyone' },
    ])
    await until(() => first.registry.sharedWith('stranger')[0]?.models.length === 1, { what: 'it is for everyone' })
    await first.stop()
    const second = await donor()
    expect(second.shares.wasUpgraded).toBe(false)
    const [{ id }] = second.shares.list() as [ShareView]
    await second.shares.setVisibility(id, 'llama3.2:latest', 'me')
    expect(second.registry.sharedWith('trusted')).toEqual([])
  })
})

/** A folder where a file goes: it can neither be written nor replaced. */
async function block(file: string): Promise<void> {
  await rm(join(folder, file), { force: true })
  await mkdir(join(folder, file, 'inside'), { recursive: true })
}

const unblock = (file: string): Promise<void> => rm(join(folder, file), { recursive: true })

const NOT_STORED = { code: 'data_dir_unusable', status: 500 }

describe('what can’t be stored', () => {
  test('is not shared, on a full disk', async ({ skip }) => {
    const reason = whyNoSmallDisk()
    if (reason !== undefined) skip(reason)
    const disk = mountSmallDisk(64)
    cleanups.push(() => {
      disk.unmount()
      return Promise.resolve()
    })
    const server = await running(servers.JAN())
    const { shares, registry } = await donor({ dir: disk.dir })
    const request = { ...at(server), models: 'all', apiKey: 'jan-secret' } as const
    disk.fill()

    await expect(shares.add(request)).rejects.toMatchObject(NOT_STORED)
    await expect(shares.add(request)).rejects.toThrow(/^Nothing was shared: .* because the disk is full\./)

    expect(registry.list()).toEqual([])
    expect(shares.list()).toEqual([])
    disk.free()
    await shares.add(request)
    expect(registry.list()).toHaveLength(1)
  })

  test('is not shared, and its key is forgotten again', async () => {
    const server = await running(servers.JAN())
    const { shares, registry } = await donor()
    await block('shares.json')

    const adding = shares.add({ ...at(server), models: 'all', apiKey: 'jan-secret' })

    await expect(adding).rejects.toMatchObject({
      ...NOT_STORED,
      message: expect.stringContaining('folder of that name'),
    })
    expect(registry.list()).toEqual([])
    expect(shares.list()).toEqual([])
    expect(await readFile(join(folder, 'secrets.json'), 'utf8')).not.toContain('jan-secret')
  })

  test('is not shared where its key can’t be kept', async () => {
    const server = await running(servers.JAN())
    const { shares, registry } = await donor()
    await block('secrets.json')
    const adding = shares.add({ ...at(server), models: 'all', apiKey: 'jan-secret' })
    await expect(adding).rejects.toMatchObject(NOT_STORED)
    expect(registry.list()).toEqual([])
    await expect(stat(join(folder, 'shares.json'))).rejects.toThrow('ENOENT')
  })

  test('leaves a share as it was, with its key', async () => {
    const server = await running(servers.OLLAMA())
    const { shares, registry } = await donor()
    const { id } = await shares.add({ ...at(server), models: ['llama3.2:latest'], apiKey: 'first' })
    await until(() => registry.get(id)?.status === 'connected', { what: 'it is connected' })
    await block('shares.json')

    const changing = shares.add({ ...at(server), models: 'all', apiKey: 'second' })

    await expect(changing).rejects.toThrow(/^What is shared stays as it was: /)
    expect(registry.get(id)).toMatchObject({ identityGroups: ['model=llama3.2:latest', 'api=ollama'] })
    expect(shares.list()).toMatchObject([{ models: ['llama3.2:latest'] }])
    expect(shares.keyFor(`127.0.0.1:${server.port}`)).toBe('first')
    expect(await readFile(join(folder, 'secrets.json'), 'utf8')).toMatch(/first/)
  })

  test('is said of a share that ends, which ends at once all the same', async () => {
    const server = await running(servers.JAN())
    const { shares, registry } = await donor()
    const { id } = await shares.add({ ...at(server), models: 'all', apiKey: 'jan-secret' })
    await block('shares.json')

    const ended = await shares.remove(id)

    expect(ended).toMatchObject({ removed: true, untilRestart: true })
    expect(ended.problem).toMatch(/^It will be shared again after the next start: .*shares\.json can’t be written/)
    expect(registry.list()).toEqual([])
    expect(shares.list()).toEqual([])
    await unblock('shares.json')
    await shares.add({ ...at(server), models: 'all', apiKey: 'jan-secret' })
    await block('secrets.json')
    const again = await shares.remove(id)
    expect(again).toMatchObject({ removed: true, untilRestart: false })
    expect(again.problem).toMatch(/^Its key stays on this computer/)
  })
})

test('nothing is seen of a share before it is stored', async () => {
  const server = await running(servers.JAN())
  let store = (): void => undefined
  const begun = Promise.withResolvers<undefined>()
  const waiting = new Promise<void>((resolve) => (store = resolve))
  const { shares, registry } = await donor({
    secrets: (file) => ({
      ...file,
      async set(name, value) {
        begun.resolve(undefined)
        await waiting
        await file.set(name, value)
      },
    }),
  })
  const adding = shares.add({ ...at(server), models: 'all', apiKey: 'jan-secret' })
  await begun.promise
  expect([registry.list(), shares.list()]).toEqual([[], []])
  store()
  await adding
  expect(registry.list()).toHaveLength(1)
})

test('what the registry refuses in the end is taken out of the files again', async () => {
  const server = await running(servers.JAN())
  const { shares, registry } = await donor()
  registry.add = () => {
    throw new AppError('invalid_service', 'This node is stopping and registers nothing more.')
  }
  const adding = shares.add({ ...at(server), models: 'all', apiKey: 'jan-secret' })
  await expect(adding).rejects.toMatchObject({ code: 'invalid_service' })
  expect(shares.list()).toEqual([])
  expect(JSON.parse(await readFile(join(folder, 'shares.json'), 'utf8'))).toMatchObject({ shares: [] })
  expect(await readFile(join(folder, 'secrets.json'), 'utf8')).not.toContain('jan-secret')
})

test('a share ends at once, also while another server keeps its change waiting', async () => {
  const server = await running(servers.OLLAMA())
  const { shares, registry } = await donor()
  const { id } = await shares.add({ ...at(server), models: 'all' })
  const silent = createServer()
  await once(silent.listen(0, '127.0.0.1'), 'listening')
  const asked = once(silent, 'request')
  const { port } = silent.address() as AddressInfo
  const adding = shares.add({ host: '127.0.0.1', port, models: 'all', aliases: [] })
  adding.catch(() => undefined)
  await asked

  const ending = shares.remove(id)

  expect(registry.list()).toEqual([])
  silent.closeAllConnections()
  silent.close()
  await expect(adding).rejects.toMatchObject({ code: 'invalid_service' })
  expect(await ending).toMatchObject({ removed: true, untilRestart: false, problem: null })
})
