import type { PauseReason, PauseRuleView, PauseState } from '#shared/contract/sharing/pause.js'
import { AppError } from '#shared/errors.js'
import { InterruptibleSleep, type Clock, type SleepingClock } from '../../../base/clock.js'
import { Listeners } from '../../../base/listeners.js'
import type { Log } from '../../../logging/index.js'
import type { MachineFacts } from '../../machine/index.js'
import type { Admission } from '../access/index.js'
import { ManualPause } from './manual-pause.js'
import { judgeRules, readFacts, type PauseRules } from './rules.js'
import type { Pause } from './index.js'

/** Between two checks of the rules. */
const CHECK_MS = 5_000
/** After a request ended, the GPU's own figures still show it for so long. */
const GPU_SETTLE_MS = 20_000
/** The longest time after which peers are asked to try again. */
const MAX_RETRY_S = 3600

/** What a pause stands on. */
export interface PauseNeeds {
  facts: MachineFacts
  admission: Admission
  rules: () => PauseRules
  /** 0 lets running answers end. */
  cutAfterMs: () => number
  clock: Clock
  monotonic: SleepingClock
  log: Log
}

/** Pauses by hand and by rule. The listener for peers is closed and opened with it; running answers end, or are cut. */
export function createPause(needs: PauseNeeds, options: { file: string; checkMs?: number }): Pause {
  return new RuledPause(needs, options)
}

class RuledPause implements Pause {
  readonly name = 'pause'
  readonly #needs: PauseNeeds
  readonly #log: Log
  readonly #checkMs: number
  readonly #manual: ManualPause
  readonly #cut: GraceCut
  readonly #stopped = new AbortController()
  readonly #sleep: InterruptibleSleep
  readonly #listeners = new Listeners()
  #reasons: PauseReason[] = []
  #views: PauseRuleView[] = []
  /** The grace given with a pause by hand, which goes before the setting's. */
  #handCutAfterMs: number | undefined
  #activeAtMs = Number.NEGATIVE_INFINITY
  #stopNoting: (() => void) | undefined
  #checking: Promise<void> = Promise.resolve()
  #running: Promise<void> | undefined

  constructor(needs: PauseNeeds, options: { file: string; checkMs?: number }) {
    this.#needs = needs
    this.#log = needs.log.forComponent('pause')
    this.#checkMs = options.checkMs ?? CHECK_MS
    this.#manual = new ManualPause({ ...needs, log: this.#log }, options)
    this.#sleep = new InterruptibleSleep(needs.monotonic, this.#stopped.signal)
    this.#cut = new GraceCut({ ...needs, stopped: this.#stopped.signal, cut: () => this.#cutRunning() })
  }

  get isPaused(): boolean {
    return this.#reasons.length > 0
  }

  state(): PauseState {
    const running = this.#needs.admission.usage().slots.used
    const cutAtMs = running === 0 ? null : this.#cut.atMs
    return { paused: this.isPaused, reasons: this.#reasons, running, cutAtMs, rules: this.#views }
  }

  async pause({ forMs, cutAfterMs }: { forMs: number | null; cutAfterMs?: number }): Promise<PauseState> {
    const wasPaused = this.isPaused
    this.#manual.begin(forMs)
    this.#handCutAfterMs = cutAfterMs
    // At once: the rules may wait for a driver, and the disk for anything.
    const others = this.#reasons.filter(({ cause }) => cause !== 'manual')
    this.#apply([...this.#manual.reasons, ...others], this.#views)
    if (wasPaused && cutAfterMs !== undefined) {
      this.#beginCut()
      this.#changed()
    }
    await this.#manual.store()
    return this.review()
  }

  async resume(): Promise<PauseState> {
    await this.#manual.end()
    return this.review()
  }

  async review(): Promise<PauseState> {
    await this.#checkInTurn()
    this.#sleep.interrupt()
    return this.state()
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted()
    await this.#manual.read()
    this.#stopNoting = this.#needs.admission.subscribe(() => this.#noteActivity())
    // Before anything is announced: a paused node must not look open for a moment.
    await this.#checkInTurn()
    this.#running ??= this.#watch().catch((error: unknown) =>
      this.#log.error('watching the pause rules failed', { error }),
    )
  }

  async stop(): Promise<void> {
    this.#stopped.abort()
    this.#stopNoting?.()
    this.#listeners.clear()
    await this.#running
    await Promise.all([this.#checking, this.#cut.done])
  }

  async #watch(): Promise<void> {
    while (!this.#stopped.signal.aborted) {
      const wasInterrupted = await this.#sleep.sleep(Math.max(0, Math.min(this.#checkMs, this.#manual.endsInMs)))
      if (!wasInterrupted) await this.#checkInTurn()
    }
  }

  /** One check at a time; resolves after one that began after the call. */
  #checkInTurn(): Promise<void> {
    this.#checking = this.#checking
      .then(() => this.#check())
      .catch((error: unknown) => this.#log.error('checking the pause rules failed', { error }))
    return this.#checking
  }

  async #check(): Promise<void> {
    await this.#manual.expire()
    const rules = this.#needs.rules()
    this.#noteActivity()
    const { clock, monotonic } = this.#needs
    const at = { nowMs: clock.now(), gpuIsOurs: monotonic.elapsedMs() - this.#activeAtMs < GPU_SETTLE_MS }
    const facts = await readFacts(this.#needs.facts, rules, at)
    const before = new Set(this.#reasons.map(({ cause }) => cause))
    const judged = judgeRules(rules, facts, before)
    this.#apply([...this.#manual.reasons, ...judged.reasons], judged.views)
  }

  #apply(reasons: PauseReason[], views: PauseRuleView[]): void {
    const wasPaused = this.isPaused
    const isSame = JSON.stringify([reasons, views]) === JSON.stringify([this.#reasons, this.#views])
    this.#reasons = reasons
    this.#views = views
    const [first] = reasons
    if (first !== undefined) this.#close(first, wasPaused)
    else if (wasPaused) this.#open()
    if (!isSame) this.#changed()
  }

  #close(reason: PauseReason, wasPaused: boolean): void {
    this.#needs.admission.close(this.#errorOf(reason))
    if (wasPaused) return
    this.#log.info('sharing is paused', { cause: reason.cause, why: reason.sentence })
    this.#beginCut()
  }

  #open(): void {
    this.#log.info('sharing is resumed')
    this.#needs.admission.close(undefined)
    this.#cut.cancel()
    this.#handCutAfterMs = undefined
  }

  /** Lets running answers end, or gives them their grace and cuts them. */
  #beginCut(): void {
    const setting = this.#needs.cutAfterMs()
    const afterMs = this.#handCutAfterMs ?? (setting === 0 ? undefined : setting)
    if (afterMs !== undefined) this.#cut.begin(afterMs)
  }

  #cutRunning(): void {
    const [first] = this.#reasons
    const count = this.#needs.admission.usage().slots.used
    if (first === undefined || count === 0) return
    this.#log.info('answers to peers are cut, because sharing is paused', { count })
    this.#needs.admission.cutRunning(this.#errorOf(first))
  }

  #errorOf({ cause, untilMs }: PauseReason): AppError {
    const endsInMs = cause === 'manual' ? this.#manual.endsInMs : (untilMs ?? 0) - this.#needs.clock.now()
    const seconds = untilMs === null ? 60 : Math.ceil(endsInMs / 1000)
    return new AppError('no_provider', 'The owner of this node has paused sharing. Ask another provider.', {
      retryAfterS: Math.min(Math.max(seconds, 1), MAX_RETRY_S),
    })
  }

  #noteActivity(): void {
    if (this.#needs.admission.atWork > 0) this.#activeAtMs = this.#needs.monotonic.elapsedMs()
  }

  #changed(): void {
    this.#listeners.notify()
  }
}

/** Ends running answers after a grace time, unless it is cancelled before. */
class GraceCut {
  readonly #needs: { clock: Clock; monotonic: SleepingClock; stopped: AbortSignal; cut: () => void }
  #cancelled: AbortController | undefined
  #atMs: number | null = null
  #done: Promise<void> = Promise.resolve()

  constructor(needs: { clock: Clock; monotonic: SleepingClock; stopped: AbortSignal; cut: () => void }) {
    this.#needs = needs
  }

  /** Unix milliseconds at which it cuts; null while it does not. */
  get atMs(): number | null {
    return this.#atMs
  }

  /** Resolves when nothing of it runs any more. */
  get done(): Promise<void> {
    return this.#done
  }

  begin(afterMs: number): void {
    const { clock, monotonic, stopped, cut } = this.#needs
    this.#cancelled?.abort()
    const cancelled = new AbortController()
    this.#cancelled = cancelled
    this.#atMs = clock.now() + afterMs
    this.#done = this.#done.then(async () => {
      await monotonic.sleep(afterMs, AbortSignal.any([cancelled.signal, stopped]))
      if (!cancelled.signal.aborted && !stopped.aborted) cut()
    })
  }

  cancel(): void {
    this.#cancelled?.abort()
    this.#cancelled = undefined
    this.#atMs = null
  }
}
