import { randomBytes } from 'node:crypto'
import type { PeerId } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import { BoundedMap } from '../../base/bounded-map.js'
import type { MonotonicClock } from '../../base/clock.js'
import { Listeners } from '../../base/listeners.js'
import { fullBucket, refilled } from '../../base/token-bucket.js'
import type { Log } from '../../logging/index.js'
import { createConnector, type Host } from '../../p2p/index.js'
import type { ClockWatch } from '../replicate/clock-watch.js'
import type { Verifier } from '../replicate/verifier.js'
import type { TableView } from '../view/view.js'
import type { KeyRing } from '../wire/key-ring.js'
import {
  decodeStatusAnswer,
  encodeStatusRequest,
  MAX_STATUS_ANSWER_BYTES,
  offersHash,
  readShort,
  STATUS_PROTOCOL,
  type StatusAnswer,
} from '../wire/status-message.js'

/** What came of asking a peer. `unsupported`: it is there, but of a version that has no status. */
export type StatusOutcome =
  | { kind: 'answered'; status: StatusAnswer }
  | { kind: 'unsupported' }
  | { kind: 'unreachable'; reason: string }
  | { kind: 'invalid' }

/** A peer was asked. */
export interface PeerStatusEvent {
  type: 'peer:status'
  peerId: string
  outcome: StatusOutcome
}

/** How busy other peers are, asked of themselves and kept for half a minute. */
export interface PeerStatus {
  /** The last answer, if it is not older than 30 s. One older than 10 s is asked for again in the background. */
  get(peerId: string): StatusAnswer | undefined
  /** As {@link PeerStatus.get}, without asking. */
  peek(peerId: string): StatusAnswer | undefined
  /** Asks now, dialling where needed, for 5 s at most; one request at a time per peer. Never rejects. */
  refresh(peerId: string): Promise<StatusOutcome>
  /** Somebody says that this peer is gone. It is asked, and nothing else follows from it. */
  hint(peerId: string): void
  /** Calls `listener` after each answer or failure; returns the way to stop. */
  subscribe(listener: (event: PeerStatusEvent) => void): () => void
}

/** A {@link PeerStatus} with what the table does with it. */
export interface StatusAsker extends PeerStatus {
  /** As `refresh`, and takes in the row the peer signed. */
  refreshWithRow(peerId: string): Promise<StatusOutcome>
  stop(): Promise<void>
}

const FRESH_MS = 10_000
const USABLE_MS = 30_000
const ASK_WITHIN_MS = 5_000
const MAX_CACHED = 1000
const MAX_AT_ONCE = 8
/** What `get` and `hint` may ask for in the background. */
const BACKGROUND = { capacity: 16, refillPerS: 4 }

/** Asks peers over the host's libp2p. `onStale` hears of peers whose row here is not what they offer now. */
export function createPeerStatus(needs: {
  host: Host
  view: TableView
  verifier: Verifier
  keys: KeyRing
  monotonic: MonotonicClock
  clockWatch: ClockWatch
  log: Log
  onStale: (peerId: string) => void
}): StatusAsker {
  const { host, view, verifier, keys, monotonic, clockWatch, log, onStale } = needs
  const connector = createConnector({ libp2p: () => host.libp2p, liveness: () => host.liveness })
  const cached = new BoundedMap<string, { status: StatusAnswer; atMs: number }>(MAX_CACHED)
  const asking = new Map<string, Promise<StatusOutcome>>()
  const listeners = new Listeners<[PeerStatusEvent]>()
  const stopping = new AbortController()
  let background = fullBucket(BACKGROUND, monotonic.elapsedMs())

  async function exchange(peer: PeerId, wantsRow: boolean): Promise<StatusOutcome> {
    const rawKey = peer.publicKey?.raw
    const key = rawKey === undefined ? undefined : keys.get(rawKey)?.verifyKey()
    if (key === undefined) return { kind: 'invalid' }
    const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(ASK_WITHIN_MS)])
    const connection = await connector.connect(peer.toString(), signal)
    const stream = await connection.newStream(STATUS_PROTOCOL, { signal, runOnLimitedConnection: true })
    const onAbort = (): void => {
      if (!stopping.signal.aborted) host.liveness?.doubt(connection)
      stream.abort(new Error('the answer took too long'))
    }
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      const context = { nonce: randomBytes(16), asker: host.peerId }
      const answered = readShort(stream, MAX_STATUS_ANSWER_BYTES, (bytes) => {
        const decoded = decodeStatusAnswer(bytes, context, key)
        return decoded === 'incomplete' ? undefined : (decoded ?? 'invalid')
      })
      stream.send(encodeStatusRequest({ nonce: context.nonce, wantsRow }))
      const answer = await answered
      if (answer === undefined) return { kind: 'unreachable', reason: 'no answer to a status request' }
      if (answer === 'invalid') return { kind: 'invalid' }
      const peerId = peer.toString()
      clockWatch.heard(peerId, answer.status.timeMs)
      if (answer.row !== undefined) verifier.ingest(answer.row, 'asked')
      await stream.close({ signal })
      return { kind: 'answered', status: answer.status }
    } finally {
      signal.removeEventListener('abort', onAbort)
      if (stream.status === 'open') stream.abort(new Error('done'))
    }
  }

  async function ask(peerId: string, wantsRow: boolean): Promise<StatusOutcome> {
    let outcome: StatusOutcome
    try {
      outcome = await exchange(peerIdFromString(peerId), wantsRow)
    } catch (error) {
      const isUnsupported = error instanceof Error && error.name === 'UnsupportedProtocolError'
      outcome = isUnsupported ? { kind: 'unsupported' } : { kind: 'unreachable', reason: reasonOf(error) }
    }
    if (stopping.signal.aborted) return outcome
    if (outcome.kind === 'answered') {
      cached.set(peerId, { status: outcome.status, atMs: monotonic.elapsedMs() })
      const known = view.get(peerId)?.record
      if (known !== undefined && offersHash(known) !== outcome.status.offers) onStale(peerId)
    } else {
      cached.delete(peerId)
      if (outcome.kind === 'unreachable') view.brought.unreachable(peerId)
    }
    log.debug('a peer was asked for its status', { peerId, outcome: outcome.kind })
    listeners.notify({ type: 'peer:status', peerId, outcome })
    return outcome
  }

  function start(peerId: string, wantsRow: boolean): Promise<StatusOutcome> {
    const running = asking.get(peerId)
    if (running !== undefined && !wantsRow) return running
    const work = ask(peerId, wantsRow).finally(() => {
      if (asking.get(peerId) === work) asking.delete(peerId)
    })
    asking.set(peerId, work)
    return work
  }

  function inBackground(peerId: string): void {
    if (stopping.signal.aborted || asking.has(peerId) || asking.size >= MAX_AT_ONCE) return
    background = refilled(background, BACKGROUND, monotonic.elapsedMs())
    if (background.tokens < 1) return
    background = { ...background, tokens: background.tokens - 1 }
    void start(peerId, false)
  }

  const ageMs = (found: { atMs: number } | undefined): number =>
    found === undefined ? Number.POSITIVE_INFINITY : monotonic.elapsedMs() - found.atMs

  return {
    get(peerId) {
      const found = cached.peek(peerId)
      const oldMs = ageMs(found)
      if (oldMs > FRESH_MS) inBackground(peerId)
      return oldMs <= USABLE_MS ? found?.status : undefined
    },
    peek(peerId) {
      const found = cached.peek(peerId)
      return ageMs(found) <= USABLE_MS ? found?.status : undefined
    },
    refresh: (peerId) => start(peerId, false),
    refreshWithRow: (peerId) => start(peerId, true),
    hint: inBackground,
    subscribe: (listener) => listeners.add(listener),
    async stop() {
      stopping.abort()
      await Promise.all(asking.values())
    },
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message.slice(0, 120) : 'dial failed'
}
