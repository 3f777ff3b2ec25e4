import { stat } from 'node:fs/promises'
import type { EngineBackend, EngineSettings, ServedModel } from '#shared/contract/sharing/engine.js'
import type { Visibility } from '#shared/contract/sharing/visibility.js'
import { AppError } from '#shared/errors.js'
import type { MonotonicClock } from '../../base/clock.js'
import { systemCodeOf } from '../../base/system-error.js'
import type { Log } from '../../logging/index.js'
import { type Failure, failureOf, pauseAfter } from './failures.js'
import { type ModelProcess, type Ready, startModelProcess, type StartEngineProcess } from './model-process.js'
import { planOf, type PlanFacts } from './plan.js'

/** What is kept of a served model. */
export interface ServedRecord {
  id: string
  name: string
  path: string
  visibility: Visibility
  settings: EngineSettings
  measured: ServedModel['measured']
}

/** A process that takes requests, held for one of them. */
export interface Lease {
  port: number
  token: string
  release(): void
}

/** What a served model asks of the others and of the machine. */
export interface ServedModelNeeds {
  start: StartEngineProcess
  monotonic: MonotonicClock
  log: Log
  /** The installed engine; undefined where there is none. */
  engine: () => { library: string; backend: EngineBackend } | undefined
  /** What a model that is loaded now may take. */
  roomBytes: () => number
  /** What its file tells; read anew where the file changed. */
  facts: (path: string) => Promise<PlanFacts & { problem: string | null }>
  /** Makes room for so many bytes; false where what is in use can't be unloaded. */
  makeRoom: (needBytes: number, model: ServedModelRunner) => Promise<boolean>
  changed: () => void
}

type Phase =
  | { state: 'idle' }
  /** `work` gives why it was called off, where nothing is wrong with the model itself. */
  | { state: 'loading'; work: Promise<AppError | undefined> }
  | { state: 'ready'; process: ModelProcess; ready: Ready; fileMark: string }
  | { state: 'failed'; failure: Failure; untilMs: number; fileMark: string }

/** A run this long makes the next failure the first again. */
const STEADY_MS = 60_000

/** One served model: loads it for the first request, unloads it, and leaves it alone for a while after it failed. */
export class ServedModelRunner {
  record: ServedRecord
  /** Milliseconds of the monotonic clock. */
  lastUsedMs: number
  /** When its process had loaded it. */
  readySinceMs = 0
  needBytes = 0
  memoryBytes = 0
  isMeasuring = false
  readonly #needs: ServedModelNeeds
  #phase: Phase = { state: 'idle' }
  #failures = 0
  #leases = 0
  #note: string | null = null

  constructor(needs: ServedModelNeeds, record: ServedRecord) {
    this.#needs = needs
    this.record = record
    this.lastUsedMs = needs.monotonic.elapsedMs()
  }

  get state(): Phase['state'] {
    return this.#phase.state
  }

  get isUsed(): boolean {
    return this.#leases > 0
  }

  get isInMemory(): boolean {
    return this.#phase.state === 'ready' || this.#phase.state === 'loading'
  }

  /** Where its process is asked how it is. */
  get address(): { port: number; token: string } | undefined {
    const phase = this.#phase
    return phase.state === 'ready' ? { port: phase.ready.port, token: phase.process.token } : undefined
  }

  view(): ServedModel {
    const phase = this.#phase
    return {
      ...this.record,
      state: phase.state,
      problem: phase.state === 'failed' ? phase.failure.sentence : null,
      running:
        phase.state === 'ready'
          ? {
              contextTokens: phase.ready.contextTokens,
              slots: phase.ready.slots,
              busySlots: Math.min(this.#leases, phase.ready.slots),
              gpuLayers: phase.ready.gpuLayers,
              backend: phase.ready.backend,
              memoryBytes: this.memoryBytes,
              note: [phase.ready.note, this.#note].filter((note) => note !== null).join(' ') || null,
            }
          : null,
      measuring: this.isMeasuring,
    }
  }

  /**
   * A process that takes a request; loads the model where it is not in memory. Rejects with `upstream_failed` where that
   * failed, with `provider_busy` where others take the memory, and with `engine_missing`.
   */
  async lease(signal: AbortSignal): Promise<Lease> {
    this.#leases += 1
    try {
      const { process, ready } = await this.#loaded(signal)
      this.lastUsedMs = this.#needs.monotonic.elapsedMs()
      let isReleased = false
      return {
        port: ready.port,
        token: process.token,
        release: () => {
          if (isReleased) return
          isReleased = true
          this.#leases -= 1
          this.lastUsedMs = this.#needs.monotonic.elapsedMs()
          this.#needs.changed()
        },
      }
    } catch (error) {
      this.#leases -= 1
      throw error
    }
  }

  /** Ends its process, whether it is used or not; the next request loads the model again. */
  async unload(): Promise<void> {
    const phase = this.#phase
    if (phase.state === 'loading') await phase.work
    const now = this.#phase
    if (now.state !== 'ready') return
    this.#become({ state: 'idle' })
    this.memoryBytes = 0
    await now.process.stop()
  }

  /** A model that failed may be tried again: its pause is over, or its file is another one. */
  async review(): Promise<void> {
    const phase = this.#phase
    if (phase.state !== 'failed') return
    const mark = await fileMark(this.record.path)
    const isOver = !phase.failure.isFinal && this.#needs.monotonic.elapsedMs() >= phase.untilMs
    if (this.#phase !== phase || mark === GONE || (!isOver && mark === phase.fileMark)) return
    if (mark !== phase.fileMark) this.#failures = 0
    this.#become({ state: 'idle' })
  }

  /** The person changed something about it, or the engine: it may be tried at once. */
  forgive(): void {
    this.#failures = 0
    if (this.#phase.state === 'failed') this.#become({ state: 'idle' })
  }

  async #loaded(signal: AbortSignal): Promise<Extract<Phase, { state: 'ready' }>> {
    for (;;) {
      signal.throwIfAborted()
      const phase = this.#phase
      switch (phase.state) {
        case 'ready': {
          const mark = await fileMark(this.record.path)
          if (mark === phase.fileMark) return phase
          if (this.#phase !== phase) continue
          // What is in memory is not what lies there now. Who is being answered by it is answered to the end.
          if (this.#leases > 1 && mark !== GONE) return phase
          await this.unload()
          if (mark === GONE) this.#fail({ sentence: 'The file is gone.', isFinal: true }, mark)
          continue
        }
        case 'failed':
          throw new AppError('upstream_failed', `${this.record.name} can’t be run: ${phase.failure.sentence}`)
        case 'loading': {
          const refusal = await doneOr(phase.work, signal)
          if (refusal !== undefined) throw refusal
          continue
        }
        case 'idle':
          this.#become({ state: 'loading', work: this.#load() })
      }
    }
  }

  async #load(): Promise<AppError | undefined> {
    // The phase is set by the caller first.
    await Promise.resolve()
    const { path, settings, name } = this.record
    const mark = await fileMark(path)
    try {
      const engine = this.#needs.engine()
      if (engine === undefined)
        throw new AppError('engine_missing', 'The engine is not installed. `ocf engine install` fetches it.')
      const facts = mark === GONE ? undefined : await this.#needs.facts(path)
      if (facts === undefined || facts.problem !== null) {
        this.#fail({ sentence: facts?.problem ?? 'The file is gone.', isFinal: true }, mark)
        return undefined
      }
      const plan = planOf(facts, settings, this.#needs.roomBytes())
      if ('problem' in plan) {
        // Other programs may give some back.
        this.#fail({ sentence: plan.problem, isFinal: false }, mark)
        return undefined
      }
      if (!(await this.#needs.makeRoom(plan.needBytes, this))) {
        throw new AppError('provider_busy', 'Other models take the memory and are in use.', { retryAfterS: 5 })
      }
      this.needBytes = plan.needBytes
      const { contextTokens, slots } = plan
      const wantedSlots = settings.slots ?? 4
      this.#note =
        slots < wantedSlots ? `It takes ${slots} requests at once: there is no memory for ${wantedSlots}.` : null
      await this.#run({ ...engine, modelPath: path, name, contextTokens, slots, gpuLayers: settings.gpuLayers }, mark)
      return undefined
    } catch (error) {
      if (!(error instanceof AppError)) {
        this.#needs.log.error('a model could not be loaded', { error })
        this.#fail({ sentence: 'It could not be loaded; the log says why.', isFinal: false }, mark)
        return undefined
      }
      // Nothing is wrong with the model: those who wait are told, and the next request tries anew.
      this.#become({ state: 'idle' })
      return error
    }
  }

  async #run(job: Parameters<typeof startModelProcess>[1], mark: string): Promise<void> {
    const { log, start, monotonic } = this.#needs
    log.info('a model is loaded', { backend: job.backend, contextTokens: job.contextTokens, slots: job.slots })
    const process = startModelProcess({ start, log }, job)
    const ready = await process.ready
    if (ready === undefined) {
      this.#fail(failureOf(await process.ended), mark)
      return
    }
    this.readySinceMs = monotonic.elapsedMs()
    const phase: Phase = { state: 'ready', process, ready, fileMark: mark }
    this.#become(phase)
    void process.ended.then((ending) => {
      // One that was unloaded is no news.
      if (this.#phase !== phase) return
      if (monotonic.elapsedMs() - this.readySinceMs >= STEADY_MS) this.#failures = 0
      this.#fail(failureOf(ending), mark)
    })
  }

  #fail(failure: Failure, mark: string): void {
    this.#failures += 1
    this.memoryBytes = 0
    const untilMs = this.#needs.monotonic.elapsedMs() + pauseAfter(this.#failures)
    this.#needs.log.warn('a model can’t be run', { why: failure.sentence, failures: this.#failures })
    this.#become({ state: 'failed', failure, untilMs, fileMark: mark })
  }

  #become(phase: Phase): void {
    this.#phase = phase
    this.#needs.changed()
  }
}

const GONE = 'gone'

/** Changes when another file lies at that path. */
async function fileMark(path: string): Promise<string> {
  try {
    const { size, mtimeMs, ino } = await stat(path)
    return `${size} ${mtimeMs} ${ino}`
  } catch (error) {
    if (systemCodeOf(error) === undefined) throw error
    return GONE
  }
}

async function doneOr<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const aborted = Promise.withResolvers<never>()
  const leave = (): void => aborted.reject(signal.reason as Error)
  signal.addEventListener('abort', leave, { once: true })
  try {
    return await Promise.race([work, aborted.promise])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}
