/** A peer whose key is another one than the address names; said of addresses by the bootstrap and by the doctor. */
export const ANOTHER_PEER = 'another peer answers there'

/** Said of an address that strangers gave and that leads where strangers may not send a node. */
const NOT_DIALLED = 'this node does not dial such an address for others, or it has failed there too often'

const WORDS: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its host name is not known (ENOTFOUND)',
  ENODATA: 'its host name has no such record (ENODATA)',
  EAI_AGAIN: 'its host name could not be looked up: no name server answers (EAI_AGAIN)',
  ESERVFAIL: 'its host name could not be looked up: the name server failed (ESERVFAIL)',
  EREFUSED: 'its host name could not be looked up: the name server refused (EREFUSED)',
  ETIMEOUT: 'its host name could not be looked up in time (ETIMEOUT)',
  ECONNREFUSED: 'nothing listens there (ECONNREFUSED)',
  ECONNRESET: 'the connection was cut (ECONNRESET)',
  EHOSTUNREACH: 'there is no way to it from this machine (EHOSTUNREACH)',
  ENETUNREACH: 'there is no way to its network from this machine (ENETUNREACH)',
  UND_ERR_HEADERS_OVERFLOW: 'the head of its answer is too large',
  UND_ERR_SOCKET: 'the connection was cut',
}
const NO_REASON = 'no connection could be opened'
const MAX_CHARS = 200

/** Why an address or a source is of no use, for a person: what is known by its code in words, all else as it says. */
export function failureWords(error: unknown): string {
  const all = flatten(error)
  if (all.some(isAnotherPeer)) return ANOTHER_PEER
  for (const { code } of all) {
    const words = typeof code === 'string' ? WORDS[code] : undefined
    if (words !== undefined) return words
  }
  if (all.some(({ name }) => name === 'DialDeniedError')) return NOT_DIALLED
  if (all.some(({ name }) => name === 'TimeoutError' || name === 'AbortError')) return 'nothing answers there in time'
  const [first] = all
  if (first === undefined) return typeof error === 'string' ? error.slice(0, MAX_CHARS) : NO_REASON
  return (first.message === '' ? NO_REASON : first.message).slice(0, MAX_CHARS)
}

/**
 * True where the peer at the other end proved another key than the one that was asked for. libp2p hands on the message of
 * noise and TLS alone.
 */
function isAnotherPeer(error: unknown): boolean {
  return (
    error instanceof Error && (error.name === 'UnexpectedPeerError' || /identity key|^Dialed peer /.test(error.message))
  )
}

type Coded = Error & { code?: unknown }

/** The errors inside of one, deepest first; QUIC wraps what happened into the cause, and WebSockets into an event. */
function flatten(error: unknown): Coded[] {
  if (error instanceof Event && 'error' in error) return flatten(error.error)
  if (!(error instanceof Error)) return []
  const inner = error instanceof AggregateError ? error.errors.flatMap(flatten) : flatten(error.cause)
  return [...inner, error]
}
