import { randomBytes } from 'node:crypto'
import type { PeerId, Stream } from '@libp2p/interface'
import { peerIdFromString } from '@libp2p/peer-id'
import type { MonotonicClock } from '../../base/clock.js'
import type { Log } from '../../logging/index.js'
import { bestConnection, type Host } from '../../p2p/index.js'
import type { OwnOffersSource, Trust } from '../index.js'
import type { SenderLimits } from '../replicate/sender-limits.js'
import type { KeyRing } from '../wire/key-ring.js'
import { importPrivateKey } from '../wire/key-ring.js'
import {
  decodeOffersAnswer,
  encodeOffersRequest,
  MAX_OFFERS_ANSWER_BYTES,
  OFFERS_PROTOCOL,
  type OffersAnswer,
  type OffersRequest,
} from '../wire/offers-message.js'
import { readShort } from '../wire/status-message.js'
import type { OfferBook } from './offer-book.js'
import { MAX_STRANGERS, OfferResponder } from './offer-responder.js'

/** What {@link OfferExchange} works with. */
export interface OfferExchangeNeeds {
  host: Host
  book: OfferBook
  trust: Trust
  own: OwnOffersSource
  limits: SenderLimits
  keys: KeyRing
  monotonic: MonotonicClock
  log: Log
}

/** How this node stands with a trusted peer that is connected. */
interface Acquaintance {
  /** When it is asked next. */
  dueAtMs: number
  askedAtMs: number
  failures: number
  isAsking: boolean
  /** It said that its offers changed while it was being asked. */
  isStale: boolean
}

const TICK_MS = 500
const ANSWER_WITHIN_MS = 5_000
/** Changes of this node's offers, or of a peer's, that come close together are told and asked for once. */
const SETTLE_MS = 100
const MIN_BETWEEN_QUESTIONS_MS = 1_000
const RETRY_MS = 2_000
const MAX_RETRY_MS = 60_000

/**
 * Tells trusted peers what they may use, and asks them for the same. A peer that is not trusted is told of no change but
 * the one by which it stopped being so.
 */
export class OfferExchange {
  readonly #needs: OfferExchangeNeeds
  readonly #stopping = new AbortController()
  readonly #subscriptions: (() => void)[] = []
  readonly #known = new Map<string, Acquaintance>()
  /** What trusted peers were told last. */
  #told = ''
  #isRunning = false
  #ticking: NodeJS.Timeout | undefined
  #settling: NodeJS.Timeout | undefined

  constructor(needs: OfferExchangeNeeds) {
    this.#needs = needs
  }

  async start(): Promise<void> {
    const { host, trust, own } = this.#needs
    const { libp2p } = host
    const responder = new OfferResponder({
      ...this.#needs,
      key: importPrivateKey(host.identity.privateKey),
      hasChanged: (peerId) => this.ask(peerId),
    })
    this.#isRunning = true
    const onConnect = ({ detail }: CustomEvent<PeerId>): void => this.#meet(detail.toString())
    const onDisconnect = ({ detail }: CustomEvent<PeerId>): void => this.#part(detail.toString())
    libp2p.addEventListener('peer:connect', onConnect)
    libp2p.addEventListener('peer:disconnect', onDisconnect)
    this.#told = JSON.stringify(own.current())
    this.#subscriptions.push(
      () => libp2p.removeEventListener('peer:connect', onConnect),
      () => libp2p.removeEventListener('peer:disconnect', onDisconnect),
      trust.subscribe(() => this.#reviewTrust()),
      own.subscribe(() => this.#tellSoon()),
    )
    this.#ticking = setInterval(() => this.#tick(), TICK_MS).unref()
    await libp2p.handle(OFFERS_PROTOCOL, (stream, connection) => responder.onStream(stream, connection), {
      maxInboundStreams: MAX_STRANGERS,
      maxOutboundStreams: MAX_STRANGERS,
      runOnLimitedConnection: true,
    })
    this.#reviewTrust()
  }

  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return
    this.#stopping.abort()
    if (!this.#isRunning) return
    clearInterval(this.#ticking)
    clearTimeout(this.#settling)
    for (const end of this.#subscriptions.splice(0)) end()
    await this.#needs.host.libp2p.unhandle(OFFERS_PROTOCOL)
  }

  // Who is there and trusted.

  #meet(peerId: string): void {
    if (!this.#needs.trust.isTrusted(peerId) || this.#known.has(peerId)) return
    this.#known.set(peerId, { dueAtMs: 0, askedAtMs: 0, failures: 0, isAsking: false, isStale: false })
    this.#askIfDue(peerId)
  }

  #part(peerId: string): void {
    if (!this.#needs.host.isConnected(peerId)) this.#known.delete(peerId)
  }

  /**
   * Forgets what those told who are no longer trusted, and tells them for the last time that something changed: they ask,
   * and get a stranger's answer. Those who are trusted anew are asked, and told that they may ask.
   */
  #reviewTrust(): void {
    const { trust, host, book } = this.#needs
    book.sweep((peerId) => trust.isTrusted(peerId))
    const connected = new Set(host.libp2p.getPeers().map((peer) => peer.toString()))
    const trusted = new Set([...connected].filter((peerId) => trust.isTrusted(peerId)))
    for (const peerId of [...this.#known.keys()]) {
      if (trusted.has(peerId)) continue
      this.#known.delete(peerId)
      if (connected.has(peerId)) void this.#say(peerId)
    }
    for (const peerId of trusted) {
      if (this.#known.has(peerId)) continue
      this.#meet(peerId)
      void this.#say(peerId)
    }
  }

  // What this node tells.

  #tellSoon(): void {
    this.#settling ??= setTimeout(() => {
      this.#settling = undefined
      this.#tellChange()
    }, SETTLE_MS).unref()
  }

  /** Trusted peers alone hear that something changed, and ask what. */
  #tellChange(): void {
    const offers = JSON.stringify(this.#needs.own.current())
    if (offers === this.#told) return
    this.#told = offers
    for (const peerId of this.#known.keys()) void this.#say(peerId)
  }

  async #say(peerId: string): Promise<void> {
    try {
      await this.#onStreamTo(peerId, async (stream, signal) => {
        // It closes its side once it has read that; a stream that is aborted before may lose it.
        const isRead = readShort(stream, 0, () => undefined)
        stream.send(encodeOffersRequest({ kind: 'changed' }))
        await stream.close({ signal })
        await isRead
      })
    } catch (error) {
      // It asks again anyhow before what it has is too old.
      this.#needs.log.debug('a peer was not told that offers changed', { peerId, error })
    }
  }

  // What this node asks.

  /** What a peer offers has changed, as far as is known: asks it, a second after the last question at the earliest. */
  ask(peerId: string): void {
    const known = this.#known.get(peerId)
    if (known === undefined) {
      this.#meet(peerId)
      return
    }
    known.isStale = true
    this.#askIfDue(peerId)
  }

  #tick(): void {
    const { book, trust } = this.#needs
    book.sweep((peerId) => trust.isTrusted(peerId))
    for (const peerId of this.#known.keys()) this.#askIfDue(peerId)
  }

  #askIfDue(peerId: string): void {
    const known = this.#known.get(peerId)
    if (known === undefined || known.isAsking || this.#stopping.signal.aborted) return
    const now = this.#needs.monotonic.elapsedMs()
    const dueAtMs = known.isStale ? Math.min(known.dueAtMs, known.askedAtMs + MIN_BETWEEN_QUESTIONS_MS) : known.dueAtMs
    if (now < dueAtMs) return
    known.isAsking = true
    known.isStale = false
    known.askedAtMs = now
    void this.#ask(peerId, known)
  }

  async #ask(peerId: string, known: Acquaintance): Promise<void> {
    const { trust, book, monotonic, limits, log } = this.#needs
    let outcome: OffersAnswer | 'unsupported' | 'failed' | 'invalid'
    try {
      outcome = await this.#onStreamTo(peerId, (stream, signal) => this.#question(stream, peerId, signal))
    } catch (error) {
      const isUnsupported = error instanceof Error && error.name === 'UnsupportedProtocolError'
      outcome = isUnsupported ? 'unsupported' : 'failed'
    }
    known.isAsking = false
    if (this.#stopping.signal.aborted || !trust.isTrusted(peerId)) return
    log.debug('a peer was asked for its offers', {
      peerId,
      outcome: typeof outcome === 'string' ? outcome : 'answered',
    })
    const now = monotonic.elapsedMs()
    if (typeof outcome === 'object') {
      known.failures = 0
      known.dueAtMs = now + outcome.leaseMs * (0.4 + 0.1 * Math.random())
      book.take(peerId, outcome)
    } else {
      if (outcome === 'invalid') limits.reportInvalid(peerId)
      const retryMs = Math.min(MAX_RETRY_MS, RETRY_MS * 2 ** known.failures)
      known.failures += 1
      known.dueAtMs = outcome === 'unsupported' ? Number.POSITIVE_INFINITY : now + retryMs
    }
    this.#askIfDue(peerId)
  }

  async #question(stream: Stream, peerId: string, signal: AbortSignal): Promise<OffersAnswer | 'failed' | 'invalid'> {
    const rawKey = peerIdFromString(peerId).publicKey?.raw
    const key = rawKey === undefined ? undefined : this.#needs.keys.get(rawKey)?.verifyKey()
    if (key === undefined) return 'invalid'
    const context = { nonce: randomBytes(16), asker: this.#needs.host.peerId }
    const answered = readShort(stream, MAX_OFFERS_ANSWER_BYTES, (bytes) => {
      const decoded = decodeOffersAnswer(bytes, context, key)
      return decoded === 'incomplete' ? undefined : (decoded ?? 'invalid')
    })
    const request: OffersRequest = { kind: 'ask', nonce: context.nonce }
    stream.send(encodeOffersRequest(request))
    const answer = await answered
    await stream.close({ signal })
    return answer ?? 'failed'
  }

  /** Runs on a new stream to a connected peer, for five seconds at most. Rejects where there is none. */
  async #onStreamTo<T>(peerId: string, run: (stream: Stream, signal: AbortSignal) => Promise<T>): Promise<T> {
    const connection = bestConnection(this.#needs.host.connectionsTo(peerId))
    if (connection === undefined) throw new Error('not connected')
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(ANSWER_WITHIN_MS)])
    const stream = await connection.newStream(OFFERS_PROTOCOL, { signal, runOnLimitedConnection: true })
    const onAbort = (): void => stream.abort(new Error('it took too long'))
    signal.addEventListener('abort', onAbort, { once: true })
    try {
      return await run(stream, signal)
    } finally {
      signal.removeEventListener('abort', onAbort)
      if (stream.status === 'open') stream.abort(new Error('done'))
    }
  }
}
