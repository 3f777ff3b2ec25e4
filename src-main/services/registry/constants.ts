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
}

/** What the design asks for. */
export const DEFAULT_TIMINGS: WatchTimings = {
  refreshMs: 30_000,
  firstRetryMs: 250,
  probeTimeoutMs: 2_000,
  firstProbeTimeoutMs: 10_000,
  busyWindowMs: 30_000,
  urgentGapMs: 100,
}

/** Unsuccessful checks in a row after which a service is withdrawn. */
export const FAILURES_UNTIL_DOWN = 3

/** The largest list of models that is read. */
export const MAX_MODEL_LIST_BYTES = 4 * 1024 * 1024

/** The most models one service publishes. */
export const MAX_MODELS = 200

/** The longest model id that is published, in characters. */
export const MAX_MODEL_ID_LENGTH = 200

/** Room for identity groups in the 4 KB envelope of a row of the node table. */
export const IDENTITY_GROUP_BUDGET_BYTES = 3 * 1024

/** The most services one node registers. */
export const MAX_SERVICES = 32
