import type { KeyObject } from 'node:crypto'
import type { Connection, Libp2p, Stream } from '@libp2p/interface'
import type { Clock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'
import type { SenderLimits } from '../replicate/sender-limits.js'
import type { Entry } from '../view/entry.js'
import {
  decodeStatusRequest,
  encodeStatusAnswer,
  offersHash,
  readShort,
  STATUS_PROTOCOL,
  STATUS_REQUEST_BYTES,
} from '../wire/status-message.js'

/** How busy this node is, as it tells peers that ask before they send a request. */
export interface OwnStatus {
  /** Requests of peers it would take at once; null where it sets no limit. */
  slotsTotal: number | null
  /** Of those, how many are free now; null where it sets no limit. */
  slotsFree: number | null
  /** Requests of peers that wait or run. */
  queueLength: number
  /** Why it takes no requests at the moment, in a few words for the person who asks; null while it takes them. */
  paused: string | null
}

/** Knows how busy this node is. Read for each status request, so it must be quick. */
export interface OwnStatusSource {
  current(): OwnStatus
}

/** A node without limits of which nothing is known. */
export const IDLE_STATUS: OwnStatusSource = {
  current: () => ({ slotsTotal: null, slotsFree: null, queueLength: 0, paused: null }),
}

/** Answers peers that ask how this node is doing. */
export interface StatusResponder {
  start(): Promise<void>
  stop(): Promise<void>
}

const MAX_STREAMS = 64
const ANSWER_WITHIN_MS = 5_000
/** What an answer costs of a sender's envelopes: one signature of ours is about two checks of theirs. */
const COST = 2

/** The responder over the host's libp2p. `ownEntry` is this node's row as others have it. */
export function createStatusResponder(
  needs: {
    libp2p: Libp2p
    limits: SenderLimits
    own: OwnStatusSource
    ownEntry: () => Entry | undefined
    key: KeyObject
    clock: Clock
    log: Log
  },
  options: { version: string },
): StatusResponder {
  const { libp2p, limits, own, ownEntry, key, clock, log } = needs
  let open = 0

  async function answer(stream: Stream, asker: string): Promise<void> {
    const timeout = setTimeout(() => stream.abort(new Error('the request took too long')), ANSWER_WITHIN_MS)
    try {
      const request = await readShort(stream, STATUS_REQUEST_BYTES, (bytes) =>
        bytes.byteLength === STATUS_REQUEST_BYTES ? (decodeStatusRequest(bytes) ?? 'invalid') : undefined,
      )
      if (request === undefined || request === 'invalid') {
        limits.reportInvalid(asker)
        stream.abort(new Error('no status request'))
        return
      }
      const entry = ownEntry()
      const status = {
        ...own.current(),
        offers: offersHash(entry?.record),
        version: options.version,
        timeMs: clock.now(),
      }
      const row = request.wantsRow ? entry?.bytes : undefined
      stream.send(encodeStatusAnswer(status, { nonce: request.nonce, asker }, key, row))
      await stream.close({ signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })
    } catch (error) {
      log.debug('a status request was not answered', { peerId: asker, error })
      stream.abort(new Error('status request broke off'))
    } finally {
      clearTimeout(timeout)
    }
  }

  function onStream(stream: Stream, connection: Connection): void {
    const asker = connection.remotePeer.toString()
    if (open >= MAX_STREAMS || !limits.admit(asker, COST)) {
      stream.abort(new Error('not now'))
      return
    }
    open += 1
    void answer(stream, asker).finally(() => (open -= 1))
  }

  return {
    start: () =>
      libp2p.handle(STATUS_PROTOCOL, onStream, {
        maxInboundStreams: MAX_STREAMS,
        maxOutboundStreams: MAX_STREAMS,
        runOnLimitedConnection: true,
      }),
    stop: () => libp2p.unhandle(STATUS_PROTOCOL),
  }
}
