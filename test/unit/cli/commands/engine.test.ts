import { describe, expect, it } from 'vitest'
import type { DiskModel, DiskScan } from '#shared/contract/sharing/disk-models.js'
import type { EngineInstall, ServedModel } from '#shared/contract/sharing/engine.js'
import { AppError } from '#shared/errors.js'
import { EXIT, type EngineTools } from '../../../../src-main/cli/io.js'
import { createFakeEngine } from '../../../contract/fake-engine.js'
import { cli } from '../cli-fixture.js'

const MISSING: EngineInstall = { ...createFakeEngine().engine.state().install, state: 'missing', backend: null }
const INSTALLED: EngineInstall = { ...MISSING, state: 'installed', backend: 'cpu', sizeBytes: 1e8 }
const MODEL: DiskModel = {
  ...{ id: 'a', name: 'qwen3-8b', architecture: 'qwen3', parameters: '8.2B', contextLength: 40_960 },
  places: [{ app: 'ollama', path: '/m/a' }],
  ...{ quantisation: 'Q4_K_M', sizeBytes: 5e9, files: 1, hasChatTemplate: true, embedding: false, projector: false },
  problem: null,
}
const SCAN: DiskScan = { scanning: false, seen: 9, read: 1, finishedAtMs: 1, models: [MODEL], problem: null }
const SERVED = { id: 's', name: 'qwen3-8b', path: '/m/a', visibility: 'trusted' } as ServedModel

const noNode = (): never => {
  throw new AppError('node_not_running', 'No node is running here.')
}

/** An installer in a folder that no node holds; it is installed by `install` unless it fails. */
function tools(first: EngineInstall, problem: string | null = null): { tools: EngineTools; installed: unknown[] } {
  const installed: unknown[] = []
  let state = first
  const installer = {
    state: () => state,
    install(backend?: unknown) {
      installed.push(backend)
      state = problem === null ? INSTALLED : { ...state, problem }
      return Promise.resolve()
    },
    remove() {
      state = MISSING
      return Promise.resolve()
    },
  }
  return {
    installed,
    tools: {
      scan: (settings) => Promise.resolve({ ...SCAN, problem: settings['engine.folders'][0] ?? null }),
      withInstaller: (_settings, _onProgress, work) => work(installer),
    },
  }
}

describe('ocf engine', () => {
  const answers = { 'engine.get': noNode }

  it('says what is there and what fetching it costs', async () => {
    const { run, output } = cli({ answers, handlers: { engineTools: () => Promise.resolve(tools(MISSING).tools) } })
    expect(await run('engine')).toBe(EXIT.ok)
    expect(output()).toContain('The engine is not installed. `ocf engine install` fetches it.')
    expect(output()).toContain('From registry.test: cpu (47 MB).')
  })

  it('fetches nothing before the person agreed', async () => {
    const made = tools(MISSING)
    const handlers = { engineTools: () => Promise.resolve(made.tools) }
    const silent = cli({ answers, handlers })
    expect(await silent.run('engine', 'install')).toBe(EXIT.failed)
    expect(silent.errors()).toContain('47 MB in 73 packages from registry.test')
    const no = cli({ answers, handlers, typed: ['n'] })
    expect(await no.run('engine', 'install')).toBe(EXIT.failed)
    expect(made.installed).toEqual([])
    const yes = cli({ answers, handlers, typed: ['y'] })
    expect(await yes.run('engine', 'install')).toBe(EXIT.ok)
    expect(yes.output()).toContain('The engine is installed: node-llama-cpp 1.0.0, cpu, 100 MB on the disk.')
    expect(made.installed).toEqual(['cpu'])
  })

  it('tells a running node the registry that it was given', async () => {
    const asked: unknown[] = []
    const answers = {
      'engine.get': { install: MISSING, served: [] },
      'engine.install': (input: unknown) => (asked.push(input), INSTALLED),
    }
    const { run } = cli({ answers })
    expect(await run('engine', 'install', '--yes', '--engine.registry', 'https://mirror.test')).toBe(EXIT.ok)
    expect(asked).toEqual([{ backend: 'cpu', registry: 'https://mirror.test' }])
    expect(await run('engine', 'install', '--yes')).toBe(EXIT.ok)
    expect(asked.at(-1)).toEqual({ backend: 'cpu' })
  })

  it('says why it could not be fetched, and refuses what it does not know', async () => {
    const { tools: failing } = tools(MISSING, 'The disk is full.')
    const failed = cli({ answers, handlers: { engineTools: () => Promise.resolve(failing) } })
    expect(await failed.run('engine', 'install', '--yes')).toBe(EXIT.failed)
    expect(failed.errors()).toContain('error: The disk is full.')
    expect(await failed.run('engine', 'explode')).toBe(EXIT.usage)
    expect(await failed.run('engine', 'install', '--backend', 'abacus')).toBe(EXIT.usage)
    expect(await failed.run('engine', 'install', '--backend', 'metal')).toBe(EXIT.failed)
  })
})

describe('ocf serve', () => {
  it('serves through the running node', async () => {
    const asked: unknown[] = []
    const answers = {
      'engine.serve': (input: unknown) => (asked.push(input), SERVED),
      'engine.get': { install: INSTALLED, served: [SERVED] },
      'engine.unserve': { removed: true },
    }
    const { run, output, started } = cli({ answers })
    expect(await run('serve', 'qwen3-8b', '--share', 'trusted')).toBe(EXIT.ok)
    expect(asked).toEqual([{ model: 'qwen3-8b', visibility: 'trusted' }])
    expect(output()).toContain('qwen3-8b is served to this computer’s apps and the peers you trust.')
    expect(await run('serve', 'qwen3-8b', '--stop')).toBe(EXIT.ok)
    expect(output()).toContain('qwen3-8b is no longer served. Its file stays.')
    expect(started).toEqual([])
  })

  it('starts a node with the model where none runs, once the engine is there', async () => {
    const answers = { 'engine.serve': noNode, 'engine.get': noNode }
    const made = tools(MISSING)
    const handlers = { engineTools: () => Promise.resolve(made.tools) }
    const refused = cli({ answers, handlers })
    expect(await refused.run('serve', 'qwen3-8b')).toBe(EXIT.failed)
    expect(refused.started).toEqual([])
    const { run, started } = cli({ answers, handlers })
    expect(await run('serve', 'qwen3-8b', '--share', 'everyone', '--yes')).toBe(EXIT.ok)
    expect(started).toMatchObject([['start', { 'engine.serve': ['qwen3-8b'], 'engine.visibility': 'everyone' }]])
  })

  it('refuses a visibility that there is not', async () => {
    const { run, errors } = cli()
    expect(await run('serve', 'x', '--share', 'nobody')).toBe(EXIT.usage)
    expect(errors()).toContain('flag --share: It takes one of me, trusted, everyone.')
  })
})

describe('ocf models --on-disk', () => {
  it('lists what the running node finds', async () => {
    let scans = 0
    const answers = { 'disk.scan': { ...SCAN, scanning: true }, 'disk.get': () => ((scans += 1), SCAN) }
    const { run, output } = cli({ answers })
    expect(await run('models', '--on-disk')).toBe(EXIT.ok)
    expect(output()).toMatch(/qwen3-8b +8\.2B +Q4_K_M +5\.0 GB +40,960 tokens +Ollama/)
    expect(scans).toBe(1)
    const json = cli({ answers })
    expect(await json.run('models', '--on-disk', '--json')).toBe(EXIT.ok)
    expect(JSON.parse(json.output())).toEqual([MODEL])
  })

  it('looks itself where no node runs, and tells what went wrong', async () => {
    const handlers = { engineTools: () => Promise.resolve(tools(MISSING).tools) }
    const { run, output } = cli({ answers: { 'disk.scan': noNode }, handlers })
    expect(await run('models', '--on-disk')).toBe(EXIT.ok)
    expect(await run('models', '--on-disk', '--engine.folders', '/too-much')).toBe(EXIT.failed)
    expect(output()).toContain('/too-much')
  })
})
