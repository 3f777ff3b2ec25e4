/** The other end of a connection gave no sign of life: it was cut, or no stream opened on it in time. */
export class SilentConnectionError extends Error {
  override readonly name = 'SilentConnectionError'
  /** The connection ran through a relay: the peer may be well, and reached over another one. */
  readonly wasRelayed: boolean

  constructor(wasRelayed: boolean, options?: ErrorOptions) {
    super('the other end gave no sign of life', options)
    this.wasRelayed = wasRelayed
  }
}

/** The silence an error comes from; undefined for any other. */
export function silenceBehind(error: unknown): SilentConnectionError | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof SilentConnectionError) return cause
  }
  return undefined
}
