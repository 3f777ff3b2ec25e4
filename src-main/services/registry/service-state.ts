import type { LocalServiceStatus } from '../index.js'
import type { CheckOutcome } from './health-check.js'

/** The problem of a server whose requests come back to this node. */
export const FORWARDS_BACK = 'it forwards to this node: share the model server behind it'

/** The times a watcher works with, in milliseconds. */
export interface WatchTimings {
  /** Between two checks of a server that is fine. */
  refreshMs: number
  /** The wait after the first unsuccessful check; doubles up to the registration's interval. */
  firstRetryMs: number
  /** One check may take this long once the server has been seen alive. */
  probeTimeoutMs: number
  /** One check may take this long before that: a server that loads a model answers late. */
  firstProbeTimeoutMs: number
  /** A server that answered a request this recently is busy, not dead, when a check times out. */
  busyWindowMs: number
  /** Between a check and one asked for by a failed request. */
  urgentGapMs: number
  /** Between two checks of a server that did not have what was asked for. */
  missingGapMs: number
}

/** What the design asks for. */
export const DEFAULT_TIMINGS: WatchTimings = {
  refreshMs: 30_000,
  firstRetryMs: 250,
  probeTimeoutMs: 2_000,
  firstProbeTimeoutMs: 10_000,
  busyWindowMs: 30_000,
  urgentGapMs: 100,
  missingGapMs: 1_000,
}

/** Unsuccessful checks in a row after which a service is withdrawn. */
const FAILURES_UNTIL_DOWN = 3

/** What a watcher knows about its server between two checks. */
export interface WatchState {
  readonly status: LocalServiceStatus
  /** Unsuccessful checks in a row. */
  readonly failures: number
  /** It has worked at least once; from then on it is watched for as long as the node runs. */
  readonly everAlive: boolean
  readonly problem: string | undefined
}

/** What a check is judged with. */
export interface CheckFacts {
  /** A request to that server failed just now, which is why it was checked. */
  urgent: boolean
  /** The server was answering a request just now. */
  busy: boolean
  healthRetries: number
}

/** Before the first check. */
export const NOT_YET_CHECKED: WatchState = {
  status: 'starting',
  failures: 0,
  everAlive: false,
  problem: 'it has not been checked yet',
}

/** Where the server stands after a check. */
export function judge(state: WatchState, outcome: CheckOutcome, facts: CheckFacts): WatchState {
  if (outcome.kind === 'alive') return { status: 'connected', failures: 0, everAlive: true, problem: undefined }
  if (outcome.kind === 'silent' && facts.busy && state.status === 'connected') return state
  const failures = state.failures + 1
  const problem = problemOf(outcome)
  if (state.status === 'connected') {
    const isGone = failures >= FAILURES_UNTIL_DOWN || (facts.urgent && outcome.kind === 'refused')
    if (!isGone) return { ...state, failures }
    return { status: outcome.kind === 'loading' ? 'starting' : 'down', failures: 0, everAlive: true, problem }
  }
  if (outcome.kind === 'loading') return { ...state, status: 'starting', failures, problem }
  const hasHope = !state.everAlive && failures <= facts.healthRetries
  return { ...state, status: hasHope ? 'starting' : 'down', failures, problem }
}

/** Milliseconds until the next check, or undefined when the server has been asked often enough. */
export function nextCheckInMs(
  state: WatchState,
  timings: Pick<WatchTimings, 'refreshMs' | 'firstRetryMs'>,
  options: { healthIntervalMs: number; healthRetries: number },
): number | undefined {
  if (state.status === 'connected') return state.failures === 0 ? timings.refreshMs : options.healthIntervalMs
  if (!state.everAlive && state.failures > options.healthRetries) return undefined
  return Math.min(timings.firstRetryMs * 2 ** Math.min(Math.max(state.failures - 1, 0), 30), options.healthIntervalMs)
}

/** Whether the nth unsuccessful check is logged: the first, then at doubling distance. */
export function isLogged(failures: number): boolean {
  return failures > 0 && Number.isInteger(Math.log2(failures))
}

function problemOf(outcome: Exclude<CheckOutcome, { kind: 'alive' }>): string {
  if (outcome.kind === 'loading') return 'it says that it is still loading'
  if (outcome.kind === 'refused') return 'nothing listens there'
  if (outcome.kind === 'silent') return 'it does not answer in time'
  return outcome.reason
}
