import { z } from 'zod'
import { type EngineSettings, EngineSettingsSchema, type ServedModel } from '#shared/contract/sharing/engine.js'
import { type Visibility, VisibilitySchema } from '#shared/contract/sharing/visibility.js'
import { AppError } from '#shared/errors.js'
import { readJsonFile, writeJsonFile } from '../../base/json-file.js'
import type { Service } from '../../base/lifecycle.js'
import { notStored } from '../../base/not-stored.js'
import { type Lease, ServedModelRunner, type ServedModelNeeds, type ServedRecord } from './served-model.js'

/** What is served, kept across restarts. */
export interface ServedModels extends Service {
  runners(): readonly ServedModelRunner[]
  byName(name: string): ServedModelRunner | undefined
  find(idOrName: string): ServedModelRunner | undefined
  /**
   * Serves a model, or changes how it is. Rejects with `invalid_service` where the name is taken, and with
   * `data_dir_unusable` where it can't be stored: nothing is changed then.
   */
  serve(
    model: { id: string; name: string; path: string },
    change: { visibility?: Visibility | undefined; settings?: Partial<EngineSettings> | undefined },
  ): Promise<ServedModelRunner>
  remove(id: string): Promise<boolean>
  setMeasured(id: string, measured: ServedModel['measured']): Promise<void>
  lease(name: string, signal: AbortSignal): Promise<Lease>
  /** Ends every process that nobody uses. */
  unloadAll(): Promise<void>
}

const MAX_SERVED = 100
const LOOK_MS = 2_000

const RecordSchema = z.object({
  id: z.string().max(100),
  name: z.string().max(300),
  path: z.string().max(4096),
  visibility: VisibilitySchema,
  settings: EngineSettingsSchema,
  measured: z.object({ tokensPerS: z.number(), promptMsPer1000: z.number(), atMs: z.number() }).nullable(),
})
const FileSchema = z.object({ served: z.array(RecordSchema).max(MAX_SERVED) })
const StatsSchema = z.object({ memoryBytes: z.number() })

const DEFAULTS: EngineSettings = { contextTokens: null, slots: null, gpuLayers: null, keepLoaded: false }

/** What they stand on. */
export interface ServedModelsNeeds extends Omit<ServedModelNeeds, 'makeRoom' | 'roomBytes'> {
  /** What all of them together may take. */
  budgetBytes: () => number
  /** What this machine has left now; infinite where it is not this memory they run in. */
  freeBytes: () => number
  isPaused: () => boolean
  idleMs: () => number
}

/** The served models, their memory together, and the time after which one that nobody asks is unloaded. */
export function createServedModels(needs: ServedModelsNeeds, options: { file: string }): ServedModels {
  return new Served(needs, options)
}

class Served implements ServedModels {
  readonly name = 'served-models'
  readonly #needs: ServedModelsNeeds & ServedModelNeeds
  readonly #file: string
  readonly #runners = new Map<string, ServedModelRunner>()
  #timer: NodeJS.Timeout | undefined
  #looking: Promise<void> | undefined
  #isStopped = false
  /** When sharing was paused; undefined while it is not. */
  #pausedAtMs: number | undefined

  constructor(needs: ServedModelsNeeds, { file }: { file: string }) {
    this.#needs = {
      ...needs,
      makeRoom: (needBytes, model) => this.#makeRoom(needBytes, model),
      // What is loaded can make room, and what other programs take can't.
      roomBytes: () => Math.min(needs.budgetBytes(), needs.freeBytes() + this.#takenBytes()),
    }
    this.#file = file
  }

  runners(): readonly ServedModelRunner[] {
    return [...this.#runners.values()]
  }

  byName(name: string): ServedModelRunner | undefined {
    return this.runners().find(({ record }) => record.name === name)
  }

  find(idOrName: string): ServedModelRunner | undefined {
    return this.#runners.get(idOrName) ?? this.byName(idOrName)
  }

  async serve(...[model, { visibility, settings }]: Parameters<ServedModels['serve']>): Promise<ServedModelRunner> {
    const before = this.#runners.get(model.id)
    const other = this.byName(model.name)
    if (other !== undefined && other !== before) {
      throw new AppError('invalid_service', `Another model is served as ${model.name} already.`, { param: 'model' })
    }
    if (before === undefined && this.#runners.size >= MAX_SERVED) {
      throw new AppError('invalid_service', `${MAX_SERVED} models are served already.`)
    }
    const record: ServedRecord = {
      ...model,
      visibility: visibility ?? before?.record.visibility ?? 'me',
      settings: { ...(before?.record.settings ?? DEFAULTS), ...settings },
      // Another context, or other layers, may be another speed.
      measured: settings === undefined || isSame(before, settings) ? (before?.record.measured ?? null) : null,
    }
    const runner = before ?? new ServedModelRunner(this.#needs, record)
    const { record: old } = runner
    runner.record = record
    this.#runners.set(model.id, runner)
    try {
      await this.#keep('Nothing was changed')
    } catch (error) {
      // Nothing is shared that is not stored.
      if (before === undefined) this.#runners.delete(model.id)
      else runner.record = old
      throw error
    }
    if (settings !== undefined && before !== undefined) {
      // How it runs has changed: what is in memory runs the old way.
      before.forgive()
      if (!before.isUsed) await before.unload()
    }
    this.#needs.changed()
    return runner
  }

  async remove(id: string): Promise<boolean> {
    const runner = this.#runners.get(id)
    if (runner === undefined) return false
    this.#runners.delete(id)
    try {
      await this.#keep('It is not served any more, but only until this node stops')
    } finally {
      await runner.unload()
      this.#needs.changed()
    }
    return true
  }

  async setMeasured(id: string, measured: ServedModel['measured']): Promise<void> {
    const runner = this.#runners.get(id)
    if (runner === undefined) return
    runner.record = { ...runner.record, measured }
    await this.#keep('It was measured, but this is known only until this node stops')
  }

  lease(name: string, signal: AbortSignal): Promise<Lease> {
    const runner = this.byName(name)
    if (runner === undefined) {
      throw new AppError('model_not_found', 'The engine serves no such model.', { param: 'model' })
    }
    return runner.lease(signal)
  }

  async unloadAll(): Promise<void> {
    await Promise.all(
      this.runners()
        .filter((runner) => !runner.isUsed)
        .map((runner) => runner.unload()),
    )
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    const kept = await readJsonFile(this.#file, FileSchema)
    if (kept.kind === 'broken') this.#needs.log.warn('which models are served can’t be read', { why: kept.reason })
    for (const record of kept.kind === 'read' ? kept.value.served : []) {
      this.#runners.set(record.id, new ServedModelRunner(this.#needs, record))
    }
    this.#timer = setInterval(() => {
      this.#looking ??= this.#look()
        .catch((error: unknown) => this.#needs.log.error('looking after the models failed', { error }))
        .finally(() => (this.#looking = undefined))
    }, LOOK_MS)
    this.#timer.unref()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    clearInterval(this.#timer)
    await this.#looking
    await Promise.all(this.runners().map((runner) => runner.unload()))
  }

  /** Unloads what nobody has asked for a while, or what was loaded when sharing was paused; gives failed ones another chance. */
  async #look(): Promise<void> {
    const { monotonic, idleMs, isPaused, changed } = this.#needs
    this.#pausedAtMs = isPaused() ? (this.#pausedAtMs ?? monotonic.elapsedMs()) : undefined
    for (const runner of this.runners()) {
      if (this.#isStopped) return
      await runner.review()
      if (runner.state !== 'ready') continue
      const isIdle = !runner.record.settings.keepLoaded && monotonic.elapsedMs() - runner.lastUsedMs >= idleMs()
      // What the owner asks for during a pause stays for as long as ever.
      const isFromBefore = this.#pausedAtMs !== undefined && runner.readySinceMs < this.#pausedAtMs
      if (!runner.isUsed && (isIdle || isFromBefore)) await runner.unload()
      else {
        const before = runner.memoryBytes
        runner.memoryBytes = await memoryOf(runner)
        // A figure that moves by less is no news.
        if (Math.abs(before - runner.memoryBytes) > before * 0.02) changed()
      }
    }
  }

  /** Unloads those that were asked the longest ago until there is room; never one that is being asked. */
  async #makeRoom(needBytes: number, model: ServedModelRunner): Promise<boolean> {
    const inMemory = (): ServedModelRunner[] =>
      this.runners().filter((runner) => runner !== model && runner.isInMemory && runner.needBytes > 0)
    while (this.#takenBytes(model) + needBytes > this.#needs.budgetBytes()) {
      const [oldest] = inMemory()
        .filter((runner) => !runner.isUsed)
        .sort((one, other) => one.lastUsedMs - other.lastUsedMs)
      if (oldest === undefined) return false
      this.#needs.log.info('a model is unloaded to make room for another one')
      await oldest.unload()
      oldest.needBytes = 0
    }
    return true
  }

  #takenBytes(but?: ServedModelRunner): number {
    const others = this.runners().filter((runner) => runner !== but && runner.isInMemory)
    return others.reduce((sum, runner) => sum + runner.needBytes, 0)
  }

  /** `consequence`: what it means where it can't be stored. */
  async #keep(consequence: string): Promise<void> {
    try {
      await writeJsonFile(this.#file, { served: this.runners().map(({ record }) => record) })
    } catch (error) {
      throw notStored(consequence, this.#file, error)
    }
  }
}

/** Whether it runs with these settings as it did; when it is unloaded makes no difference. */
function isSame(
  before: ServedModelRunner | undefined,
  { contextTokens, slots, gpuLayers }: Partial<EngineSettings>,
): boolean {
  const now = before?.record.settings
  return [
    contextTokens === undefined || contextTokens === now?.contextTokens,
    slots === undefined || slots === now?.slots,
    gpuLayers === undefined || gpuLayers === now?.gpuLayers,
  ].every(Boolean)
}

async function memoryOf(runner: ServedModelRunner): Promise<number> {
  const address = runner.address
  if (address === undefined) return 0
  try {
    const response = await fetch(`http://127.0.0.1:${address.port}/stats`, {
      headers: { authorization: `Bearer ${address.token}` },
      signal: AbortSignal.timeout(LOOK_MS),
    })
    return StatsSchema.parse(await response.json()).memoryBytes
  } catch {
    // Busy, or gone: its end is told elsewhere.
    return runner.memoryBytes
  }
}
