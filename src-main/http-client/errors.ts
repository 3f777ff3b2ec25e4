/**
 * The request can't be sent as it is, and the server has nothing to do with it. Nothing of it was sent, unless
 * its body turned out to have another length than it was said to have.
 */
export class UnsendableRequestError extends Error {
  override readonly name = 'UnsendableRequestError'
}

/** The connection ended before the answer was complete. */
export class ConnectionLostError extends Error {
  override readonly name = 'ConnectionLostError'
  /**
   * True where the connection had served before and not a byte of this answer came: as happens when the other side gives
   * up an idle connection in the moment it is used again.
   */
  readonly stale: boolean

  constructor(stale: boolean, cause?: unknown) {
    super('connection lost', { cause })
    this.stale = stale
  }
}

/** No byte for as long as the request allows, or too few; the message says which. */
export class IdleTimeoutError extends Error {
  override readonly name = 'IdleTimeoutError'

  constructor(message = 'no byte for too long') {
    super(message)
  }
}

/** What came is not an answer of HTTP/1.1. The message says what is wrong and quotes nothing of it. */
export class MalformedAnswerError extends Error {
  override readonly name = 'MalformedAnswerError'
}

/** No connection could be made; the cause says why. */
export class ConnectFailedError extends Error {
  override readonly name: string = 'ConnectFailedError'

  constructor(cause: unknown, otherwise = 'no connection could be made') {
    // The error of several addresses, all in vain, has no message.
    super(cause instanceof Error && cause.message !== '' ? cause.message : otherwise, { cause })
  }
}

export const asError = (value: unknown): Error => (value instanceof Error ? value : new Error(String(value)))
