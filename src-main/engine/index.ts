import { totalmem } from 'node:os'
import { isAbsolute, resolve } from 'node:path'
import type { DiskModel } from '#shared/contract/sharing/disk-models.js'
import type { EngineBackend, EngineSettings, EngineState, ServedModel } from '#shared/contract/sharing/engine.js'
import type { Visibility } from '#shared/contract/sharing/visibility.js'
import { AppError } from '#shared/errors.js'
import type { ModelSpeed } from '#shared/model-facts.js'
import type { Clock, MonotonicClock } from '../base/clock.js'
import type { Service } from '../base/lifecycle.js'
import { Listeners } from '../base/listeners.js'
import type { DiskModels } from '../disk-models/index.js'
import type { Log } from '../logging/index.js'
import type { ServiceRegistry } from '../services/index.js'
import { createInstaller, type EngineMachine, type InstallerOptions } from './install/index.js'
import { createFront } from './run/front.js'
import { measureModel } from './run/measure.js'
import { metricsOf } from './run/metrics.js'
import type { StartEngineProcess } from './run/model-process.js'
import type { PlanFacts } from './run/plan.js'
import type { ServedModelRunner } from './run/served-model.js'
import { createServedModels } from './run/served-models.js'

export { createInstaller, findRegistry } from './install/index.js'
export { nodeProcessStarter } from './run/start-process.js'
export type { StartEngineProcess } from './run/model-process.js'

/** The optional engine: what is installed of it, and the models that are served with it. */
export interface Engine extends Service {
  state(): EngineState
  subscribe(listener: () => void): () => void
  /** `registry`: in place of the one that the options name. */
  install(backend?: EngineBackend, registry?: string): void
  cancelInstall(): void
  remove(): Promise<void>
  /** Resolves when nothing is being installed. */
  settled(): Promise<void>
  /** @throws AppError `model_not_found`, `invalid_service` */
  serve(wanted: {
    model: string
    visibility?: Visibility | undefined
    settings?: Partial<EngineSettings> | undefined
  }): Promise<ServedModel>
  unserve(id: string): Promise<boolean>
  measure(id: string): Promise<ServedModel>
}

/** What the engine stands on. */
export interface EngineNeeds {
  disk: DiskModels
  registry: Pick<ServiceRegistry, 'add' | 'remove' | 'recheck'>
  pause: { readonly isPaused: boolean }
  start: StartEngineProcess
  clock: Clock
  monotonic: MonotonicClock
  log: Log
}

/** How it is set up. */
export interface EngineOptions extends Omit<InstallerOptions, 'machine'> {
  machine: () => EngineMachine & { gpuMemoryBytes: number }
  /** Bytes; 0 is three quarters of the memory, on a GPU nine tenths of its own. */
  memoryBytes: () => number
  idleMs: () => number
}

/** The engine of a node. */
export function createEngine(needs: EngineNeeds, options: EngineOptions): Engine {
  return new NodeEngine(needs, options)
}

class NodeEngine implements Engine {
  readonly name = 'engine'
  readonly #needs: EngineNeeds
  readonly #options: EngineOptions
  readonly #log: Log
  readonly #listeners = new Listeners()
  readonly #installer
  readonly #served
  readonly #front
  #serviceId: string | undefined
  #registered = ''
  #isStarted = false

  constructor(needs: EngineNeeds, options: EngineOptions) {
    this.#needs = needs
    this.#options = options
    this.#log = needs.log.forComponent('engine')
    const changed = (): void => this.#changed()
    this.#installer = createInstaller({ log: needs.log, changed }, options)
    this.#served = createServedModels(
      {
        ...{ start: needs.start, monotonic: needs.monotonic, log: this.#log, changed },
        engine: () => this.#installer.installed(),
        budgetBytes: () => this.#budgetBytes(),
        // A GPU's own memory is seen to by the engine.
        freeBytes: () => (this.#isOnGpu() ? Number.POSITIVE_INFINITY : process.availableMemory()),
        facts: (path) => this.#factsOf(path),
        isPaused: () => needs.pause.isPaused,
        idleMs: options.idleMs,
      },
      { file: `${options.dir}/served.json` },
    )
    this.#front = createFront({
      log: this.#log,
      list: () =>
        this.#offered().map((runner) => ({
          name: runner.record.name,
          contextTokens: runner.view().running?.contextTokens ?? null,
          sizeBytes: this.#sizes.get(runner.record.path) ?? 0,
          speed: speedOf(runner.record.measured),
        })),
      lease: (model, signal) => this.#served.lease(model, signal),
      metrics: () => metricsOf(this.#served.runners().map((runner) => runner.view())),
    })
    needs.disk.subscribe(changed)
  }

  /** Bytes of the files of served models, as they were read last. */
  readonly #sizes = new Map<string, number>()

  state(): EngineState {
    return {
      disk: this.#needs.disk.state(),
      install: this.#installer.state(),
      served: this.#served.runners().map((runner) => runner.view()),
      serviceId: this.#serviceId ?? null,
      budgetBytes: this.#budgetBytes(),
    }
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  install(backend?: EngineBackend, registry?: string): void {
    this.#installer.install(backend, registry)
  }

  cancelInstall(): void {
    this.#installer.cancel()
  }

  settled(): Promise<void> {
    return this.#installer.settled()
  }

  async remove(): Promise<void> {
    await this.#served.unloadAll()
    await Promise.all(this.#served.runners().map((runner) => runner.unload()))
    await this.#installer.remove()
  }

  async serve({ model, visibility, settings }: Parameters<Engine['serve']>[0]): Promise<ServedModel> {
    const runner = await this.#served.serve(await this.#find(model), { visibility, settings })
    return runner.view()
  }

  unserve(id: string): Promise<boolean> {
    return this.#served.remove(id)
  }

  async measure(id: string): Promise<ServedModel> {
    const runner = this.#served.find(id)
    if (runner === undefined) throw new AppError('model_not_found', 'No such model is served.')
    if (runner.isMeasuring) return runner.view()
    runner.isMeasuring = true
    this.#changed()
    try {
      const lease = await runner.lease(new AbortController().signal)
      try {
        const measured = await measureModel(lease, runner.record.name, this.#needs.clock.now())
        await this.#served.setMeasured(id, measured)
        // Its list tells it, which is read anew now and then: others hear of it at once.
        if (this.#serviceId !== undefined) await this.#needs.registry.recheck(this.#serviceId)
      } finally {
        lease.release()
      }
    } finally {
      runner.isMeasuring = false
      this.#changed()
    }
    return runner.view()
  }

  async start(signal: AbortSignal): Promise<void> {
    await this.#needs.disk.start(signal)
    await this.#installer.start(signal)
    await this.#served.start(signal)
    await this.#front.start(signal)
    this.#isStarted = true
    this.#changed()
  }

  async stop(): Promise<void> {
    this.#isStarted = false
    await this.#front.stop()
    await this.#served.stop()
    await this.#installer.stop()
    await this.#needs.disk.stop()
  }

  /** What requests may ask for now: those that failed are withdrawn until they can be tried again. */
  #offered(): ServedModelRunner[] {
    if (this.#installer.installed() === undefined) return []
    return this.#served.runners().filter(({ state }) => state !== 'failed')
  }

  #changed(): void {
    if (this.#isStarted) this.#register()
    this.#listeners.notify()
  }

  /** The node treats the front like any server; it is registered anew whenever what it offers changes. */
  #register(): void {
    const offered = this.#offered()
    const said = JSON.stringify(offered.map(({ record }) => [record.name, record.visibility]))
    if (said === this.#registered) return
    this.#registered = said
    if (offered.length === 0) {
      const id = this.#serviceId
      this.#serviceId = undefined
      if (id === undefined) return
      this.#needs.registry
        .remove(id)
        .catch((error: unknown) => this.#log.error('the engine could not be withdrawn', { error }))
      return
    }
    this.#serviceId = this.#needs.registry.add({
      ...{ name: 'llm', port: this.#front.port, apiKey: this.#front.key, visibility: 'me' },
      models: offered.map(({ record }) => record.name),
      visibilities: new Map(offered.map(({ record }) => [record.name, record.visibility])),
    })
  }

  async #find(wanted: string): Promise<{ id: string; name: string; path: string }> {
    const served = this.#served.find(wanted)
    if (served !== undefined) return served.record
    const { disk } = this.#needs
    const known = (): DiskModel | undefined =>
      disk.state().models.find(({ id, name }) => id === wanted || name === wanted)
    const isPath = /\.gguf$/i.test(wanted) || isAbsolute(wanted)
    if (known() === undefined && !isPath) {
      // Who names a model asks for it to be found.
      disk.scan()
      await disk.settled()
    }
    const found = known()
    if (found !== undefined) return checked(found)
    const read = isPath ? await disk.readFile(resolve(wanted)) : undefined
    if (read === undefined) {
      throw new AppError(
        'model_not_found',
        `There is no model "${wanted}" on this disk. \`ocf models --on-disk\` looks for them.`,
      )
    }
    return checked(read.view)
  }

  async #factsOf(path: string): Promise<PlanFacts & { problem: string | null }> {
    const read = await this.#needs.disk.readFile(path)
    if (read === undefined)
      return { sizeBytes: 0, trainedTokens: null, cacheBytesPerToken: undefined, problem: 'It holds no model.' }
    const { view, facts } = read
    this.#sizes.set(path, view.sizeBytes)
    return {
      ...{ sizeBytes: view.sizeBytes, trainedTokens: view.contextLength },
      ...{ cacheBytesPerToken: facts?.cacheBytesPerToken, problem: view.problem },
    }
  }

  #budgetBytes(): number {
    const set = this.#options.memoryBytes()
    if (set > 0) return set
    const { gpuMemoryBytes } = this.#options.machine()
    // What does not fit on the GPU runs on the processor.
    return Math.floor(this.#isOnGpu() ? Math.max(gpuMemoryBytes * 0.9, totalmem() * 0.75) : totalmem() * 0.75)
  }

  #isOnGpu(): boolean {
    return (this.#installer.installed()?.backend ?? 'cpu') !== 'cpu'
  }
}

/** What is told of a measurement; one that came to no figure tells nothing. */
function speedOf(measured: ServedModel['measured']): ModelSpeed | null {
  if (measured === null || measured.tokensPerS <= 0 || measured.promptMsPer1000 <= 0) return null
  return { promptMsPer1000: measured.promptMsPer1000, tokensPerS: measured.tokensPerS }
}

function checked(model: DiskModel): { id: string; name: string; path: string } {
  const path = model.places[0]?.path
  if (model.problem !== null || path === undefined) {
    throw new AppError('invalid_service', `${model.name} can’t be served: ${model.problem ?? 'it has no file.'}`)
  }
  return { id: model.id, name: model.name, path }
}
