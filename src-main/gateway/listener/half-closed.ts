import type { Server, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import type { Framing } from '../body/stream-events.js'

/** Emitted on a response whose client has ended its writing side: it may be gone, or still wait for the answer. */
const HALF_CLOSED = 'ocf:half-closed'

/**
 * Has a client that ends its writing side behind its request get its answer (RFC 9112 §9.6), for a server that is to be
 * started. A client that has gone looks the same; {@link probeHalfClosed} tells them apart.
 */
export function acceptHalfClosed(
  server: Server,
  responses: { on(socket: Duplex): { emit(event: string): boolean } | undefined },
): void {
  // Node’s own switch, which its types do not know: without it the connection ends at once.
  Object.assign(server, { httpAllowHalfOpen: true })
  server.on('connection', (socket) => {
    socket.on('end', () => responses.on(socket)?.emit(HALF_CLOSED))
  })
}

/** What means nothing between two events: a comment, or blanks before the next line's JSON. */
const FILLERS: Readonly<Record<Framing, string>> = { sse: ':\n\n', ndjson: ' ' }

/** Between two checks whether such a client is there. */
const PROBE_EVERY_MS = 1_000
/** What a reset needs to come back from a client on this network. */
const SECOND_PROBE_MS = 50
/** For how many checks an answer may rest to whose client nothing can be written in between. */
const PROBES_IN_SILENCE = 5

/**
 * Finds out whether the client of a response is there, once it has ended its writing side. Only writing shows that: one
 * that is gone resets the connection at the first write, which the next one meets. `state`: no head was sent (`waiting`),
 * which stream is between two of its events, or how many bytes of anything else were sent.
 */
export function probeHalfClosed(response: ServerResponse, state: () => 'over' | 'waiting' | Framing | number): void {
  let bytes: number | undefined
  let silent = 0
  const probe = (): void => {
    const now = state()
    if (now === 'over' || response.destroyed) return
    if (now === 'waiting') {
      // Older clients have no interim answers; the answer itself will show that they are gone.
      if (response.req.httpVersion !== '1.0') response.writeContinue()
    } else if (typeof now === 'string') response.write(FILLERS[now])
    else {
      silent = now === bytes ? silent + 1 : 0
      bytes = now
      if (silent > PROBES_IN_SILENCE) response.destroy()
    }
  }
  const begin = (): void => {
    probe()
    const timers = [setTimeout(probe, SECOND_PROBE_MS), setInterval(probe, PROBE_EVERY_MS)]
    for (const timer of timers) timer.unref()
    response.once('close', () => timers.forEach((timer) => clearTimeout(timer)))
  }
  if (response.socket?.readableEnded === true) begin()
  else response.once(HALF_CLOSED, begin)
}
