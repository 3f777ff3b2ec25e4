import type { DoctorState } from '#shared/contract/node/doctor.js'
import { AppError } from '#shared/errors.js'
import { Listeners } from '../base/listeners.js'
import type { Log } from '../logging/index.js'
import type { DoctorFacts } from './facts.js'

/** What the doctor knows without asking peers, as it changes. */
export interface LiveDoctor {
  /** As of at most two seconds ago. @throws AppError `node_not_running` */
  state(): DoctorState
  /** Calls `listener` after each change, at most every two seconds; returns the unsubscriber. */
  subscribe(listener: () => void): () => void
}

/** Most of the facts have no event, so they are read this often while there are followers. */
const READ_EVERY_MS = 2_000

/**
 * Reads with `read` and checks with `check`. `isAlone` is asked each time, cheaply: whether there is a peer is shown
 * elsewhere at once, and this must never say otherwise.
 */
export function createLiveDoctor(
  needs: {
    read: () => DoctorFacts
    check: (facts: DoctorFacts) => DoctorState['checks']
    isAlone: () => boolean
    /** Called at each tick; never rejects. */
    scanSlowFacts: () => Promise<void>
    log: Log
  },
  options: { readEveryMs?: number } = {},
): LiveDoctor & { changed(): void } {
  const { readEveryMs = READ_EVERY_MS } = options
  const listeners = new Listeners()
  let known: { state: DoctorState; json: string; atMs: number; alone: boolean } | undefined
  let timer: NodeJS.Timeout | undefined

  function read(): NonNullable<typeof known> {
    const facts = needs.read()
    const { asking, addresses } = facts.reach.seen
    const answers = addresses.flatMap(({ atMs }) => atMs ?? [])
    const state: DoctorState = {
      checks: needs.check(facts),
      asking: asking ?? null,
      askedAtMs: answers.length === 0 ? null : Math.max(...answers),
    }
    known = { state, json: JSON.stringify(state), atMs: performance.now(), alone: needs.isAlone() }
    return known
  }

  function tick(): void {
    void needs.scanSlowFacts()
    const before = known?.json
    try {
      if (read().json === before) return
    } catch (error) {
      // The network stops before its followers do, and a stopping network has no news.
      if (!(error instanceof AppError)) needs.log.error('the doctor could not read the state of the network', { error })
      return
    }
    listeners.notify()
  }

  return {
    state() {
      const isFresh =
        known !== undefined && performance.now() - known.atMs < readEveryMs && known.alone === needs.isAlone()
      return (isFresh ? known : undefined)?.state ?? read().state
    },
    subscribe(listener) {
      const remove = listeners.add(listener)
      timer ??= setInterval(tick, readEveryMs)
      return () => {
        remove()
        if (listeners.size > 0) return
        clearInterval(timer)
        timer = undefined
      }
    },
    changed: () => {
      if (listeners.size > 0) tick()
    },
  }
}

/** What the status pill says of these checks: the first that keeps the node from doing its work. */
export function causeOf(checks: DoctorState['checks']): { check: string; sentence: string } | undefined {
  const worst = checks.find(({ state, brief }) => state === 'bad' && brief !== undefined)
  return worst === undefined ? undefined : { check: worst.id, sentence: worst.brief ?? worst.fact }
}
