import { z } from 'zod'
import type { PauseCause, PauseReason, PauseRuleView, PauseState } from '#shared/contract/pause.js'
import { AppError } from '#shared/errors.js'
import type { Log } from '../../../logging/index.js'
import type { Admission } from '../access/index.js'
import { readJsonFile, writeJsonFile } from '../../../base/json-file.js'
import type { MachineFacts } from '../../machine/index.js'
import type { SleepingClock } from '../../../base/sleeping-clock.js'
import type { Pause } from './index.js'
import { judgeRules, readFacts, type PauseRules } from './rules.js'

/** A pause made by hand; it survives a restart. */
const ManualSchema = z.object({ untilMs: z.number().nullable() })
const FileSchema = z.object({ manual: ManualSchema.nullable() })

/** Between two looks at the rules. */
const LOOK_MS = 5_000
/** After a request ended, the GPU's own figures still show it for so long. */
const GPU_SETTLE_MS = 20_000
/** What peers are told about trying again, at most. */
const MAX_RETRY_S = 3600

/** Pauses by hand and by rule. The door for peers is closed and opened with it; running answers end, or are cut. */
export function createPause(
  needs: {
    facts: MachineFacts
    admission: Admission
    rules: () => PauseRules
    /** 0 lets running answers end. */
    cutAfterMs: () => number
    clock: SleepingClock
    log: Log
  },
  options: { file: string; lookMs?: number },
): Pause {
  const { admission, clock } = needs
  const log = needs.log.forComponent('pause')
  const { lookMs = LOOK_MS } = options
  const stopped = new AbortController()
  const listeners = new Set<() => void>()
  let manual: z.output<typeof ManualSchema> | null = null
  let reasons: PauseReason[] = []
  let views: PauseRuleView[] = []
  let cutAtMs: number | null = null
  let handCutAfterMs: number | undefined
  let cutting: AbortController | undefined
  let activeAtMs = Number.NEGATIVE_INFINITY
  let stopNoting: (() => void) | undefined
  let nap = new AbortController()
  let looking: Promise<void> = Promise.resolve()
  let running: Promise<void> | undefined
  let cuts: Promise<void> = Promise.resolve()

  function manualReason(): PauseReason[] {
    if (manual === null) return []
    const sentence = manual.untilMs === null ? 'you paused it until you resume' : 'you paused it for a while'
    return [{ cause: 'manual', sentence, untilMs: manual.untilMs }]
  }

  function noteActivity(): void {
    if (admission.atWork > 0) activeAtMs = clock.now()
  }

  async function look(): Promise<void> {
    if (manual?.untilMs != null && manual.untilMs <= clock.now()) {
      manual = null
      await save()
    }
    const rules = needs.rules()
    noteActivity()
    const nowMs = clock.now()
    const at = { nowMs, gpuIsOurs: nowMs - activeAtMs < GPU_SETTLE_MS }
    const facts = await readFacts(needs.facts, rules, at)
    const before: ReadonlySet<PauseCause> = new Set(reasons.map(({ cause }) => cause))
    const judged = judgeRules(rules, facts, before)
    apply([...manualReason(), ...judged.reasons], judged.views)
  }

  function apply(next: PauseReason[], nextViews: PauseRuleView[]): void {
    const wasPaused = reasons.length > 0
    const isSame = JSON.stringify([next, nextViews]) === JSON.stringify([reasons, views])
    reasons = next
    views = nextViews
    const [first] = next
    if (first !== undefined) {
      admission.close(pausedError(first))
      if (!wasPaused) {
        log.info('sharing is paused', { cause: first.cause, why: first.sentence })
        beginCut()
      }
    } else if (wasPaused) {
      log.info('sharing is resumed')
      admission.close(undefined)
      cutting?.abort()
      cutting = undefined
      cutAtMs = null
      handCutAfterMs = undefined
    }
    if (!isSame) changed()
  }

  /** Lets running answers end, or gives them their grace and cuts them. */
  function beginCut(): void {
    const afterMs = handCutAfterMs ?? (needs.cutAfterMs() === 0 ? undefined : needs.cutAfterMs())
    if (afterMs === undefined) return
    cutting?.abort()
    const current = new AbortController()
    cutting = current
    cutAtMs = clock.now() + afterMs
    cuts = cuts.then(async () => {
      await clock.sleep(afterMs, AbortSignal.any([current.signal, stopped.signal]))
      if (current.signal.aborted || isStopped()) return
      const [first] = reasons
      const count = admission.usage().slots.used
      if (first === undefined || count === 0) return
      log.info('answers to peers are cut, because sharing is paused', { count })
      admission.cutRunning(pausedError(first))
    })
  }

  function pausedError({ untilMs }: PauseReason): AppError {
    const seconds = untilMs === null ? 60 : Math.ceil((untilMs - clock.now()) / 1000)
    return new AppError('no_provider', 'The owner of this node has paused sharing. Ask another provider.', {
      retryAfterS: Math.min(Math.max(seconds, 1), MAX_RETRY_S),
    })
  }

  function changed(): void {
    for (const listener of [...listeners]) listener()
  }

  /** One look at a time; who asks for one gets the result of a look that began after. */
  function review(): Promise<PauseState> {
    looking = looking.then(look).catch((error: unknown) => log.error('looking at the pause rules failed', { error }))
    return looking.then(() => {
      nap.abort()
      return state()
    })
  }

  async function save(): Promise<void> {
    try {
      await writeJsonFile(options.file, { manual })
    } catch (error) {
      log.error('the pause could not be remembered for the next start', { file: options.file, error })
    }
  }

  async function watch(): Promise<void> {
    while (!isStopped()) {
      nap = new AbortController()
      const untilMs = manual?.untilMs ?? Number.POSITIVE_INFINITY
      const waitMs = Math.max(0, Math.min(lookMs, untilMs - clock.now()))
      await clock.sleep(waitMs, AbortSignal.any([nap.signal, stopped.signal]))
      if (isStopped() || nap.signal.aborted) continue
      await review()
    }
  }

  function isStopped(): boolean {
    return stopped.signal.aborted
  }

  function state(): PauseState {
    const running = admission.usage().slots.used
    return { paused: reasons.length > 0, reasons, running, cutAtMs: running === 0 ? null : cutAtMs, rules: views }
  }

  return {
    name: 'pause',
    state,
    get isPaused() {
      return reasons.length > 0
    },
    async pause({ forMs, cutAfterMs }) {
      manual = { untilMs: forMs === null ? null : clock.now() + forMs }
      handCutAfterMs = cutAfterMs
      await save()
      const wasPaused = reasons.length > 0
      await review()
      if (wasPaused && cutAfterMs !== undefined) {
        beginCut()
        changed()
      }
      return state()
    },
    async resume() {
      manual = null
      await save()
      return await review()
    },
    review,
    subscribe(listener) {
      listeners.add(listener)
      return () => void listeners.delete(listener)
    },
    async start(signal) {
      signal.throwIfAborted()
      const content = await readJsonFile(options.file, FileSchema)
      if (content.kind === 'read') manual = content.value.manual
      // A pause nobody can read any more was a pause: the owner resumes by hand.
      if (content.kind === 'broken') manual = { untilMs: null }
      stopNoting = admission.subscribe(noteActivity)
      // Before anything is announced: a paused node must not look open for a moment.
      await review()
      running ??= watch().catch((error: unknown) => log.error('watching the pause rules failed', { error }))
    },
    async stop() {
      stopped.abort()
      stopNoting?.()
      listeners.clear()
      await running
      await Promise.all([looking, cuts])
    },
  }
}
