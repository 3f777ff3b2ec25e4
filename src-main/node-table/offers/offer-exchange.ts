import { randomBytes, type KeyObject } from 'node:crypto'
import type { Connection, PeerId, Stream } from '@libp2p/interface'
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
  decodeOffersRequest,
  encodeOffersAnswer,
  encodeOffersRequest,
  MAX_OFFERS_ANSWER_BYTES,
  MAX_OFFERS_REQUEST_BYTES,
  OFFERS_PROTOCOL,
  type OffersAnswer,
  type OffersRequest,
} from '../wire/offers-message.js'
import { readShort } from '../wire/status-message.js'
import type { OfferBook } from './offer-book.js'

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
/** How long an answer of this node counts; a peer that is connected asks again before. */
const LEASE_MS = 10 * 60_000
const ANSWER_WITHIN_MS = 5_000
/** Streams of strangers that are answered at once, and those of one trusted peer: the former never crowd out the latter. */
const MAX_STRANGERS = 32
const MAX_OF_A_PEER = 4
/** As with a status: one signature of ours is about two checks of theirs. */
const COST = 2
/** Changes of this node's offers, or of a peer's, that come close together are told and asked for once. */
const SETTLE_MS = 100
const MIN_BETWEEN_QUESTIONS_MS = 1_000
const RETRY_MS = 2_000
const MAX_RETRY_MS = 60_000

/**
 * Tells trusted peers what they may use, and asks them for the same. Whoever is not trusted gets the very answer of a node
 * that has nothing to offer, and is told of no change.
 */
export class OfferExchange {
  readonly #needs: OfferExchangeNeeds
  #key: KeyObject | undefined
  readonly #stopping = new AbortController()
  readonly #subscriptions: (() => void)[] = []
  readonly #known = new Map<string, Acquaintance>()
  readonly #open = new Map<string, number>()
  /** What trusted peers were told last. */
  #told = ''
  #openOfStrangers = 0
  #ticking: NodeJS.Timeout | undefined
  #settling: NodeJS.Timeout | undefined

  constructor(needs: OfferExchangeNeeds) {
    this.#needs = needs
  }

  async start(): Promise<void> {
    const { host, trust, own } = this.#needs
    const { libp2p } = host
    this.#key = importPrivateKey(host.identity.privateKey)
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
    await libp2p.handle(OFFERS_PROTOCOL, (stream, connection) => this.#onStream(stream, connection), {
      maxInboundStreams: MAX_STRANGERS,
      maxOutboundStreams: MAX_STRANGERS,
      runOnLimitedConnection: true,
    })
    this.#reviewTrust()
  }

  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return
    this.#stopping.abort()
    if (this.#key === undefined) return
    clearInterval(this.#ticking)
    clearTimeout(this.#settling)
    for (const end of this.#subscriptions.splice(0)) end()
    await this.#needs.host.libp2p.unhandle(OFFERS_PROTOCOL)
  }

  // What this node is asked.

  #onStream(stream: Stream, connection: Connection): void {
    const asker = connection.remotePeer.toString()
    const isTrusted = this.#needs.trust.isTrusted(asker)
    const open = isTrusted ? (this.#open.get(asker) ?? 0) : this.#openOfStrangers
    if (open >= (isTrusted ? MAX_OF_A_PEER : MAX_STRANGERS) || !this.#needs.limits.admit(asker, COST)) {
      stream.abort(new Error('not now'))
      return
    }
    this.#count(asker, isTrusted, 1)
    void this.#serve(stream, asker).finally(() => this.#count(asker, isTrusted, -1))
  }

  #count(asker: string, isTrusted: boolean, change: number): void {
    if (!isTrusted) {
      this.#openOfStrangers += change
      return
    }
    const open = (this.#open.get(asker) ?? 0) + change
    if (open > 0) this.#open.set(asker, open)
    else this.#open.delete(asker)
  }

  async #serve(stream: Stream, asker: string): Promise<void> {
    const { limits, trust, log } = this.#needs
    const timeout = setTimeout(() => stream.abort(new Error('the request took too long')), ANSWER_WITHIN_MS)
    try {
      const request = await readShort(stream, MAX_OFFERS_REQUEST_BYTES, (bytes) => {
        const decoded = decodeOffersRequest(bytes)
        return decoded === 'incomplete' ? undefined : (decoded ?? 'invalid')
      })
      if (request === undefined || request === 'invalid') {
        limits.reportInvalid(asker)
        stream.abort(new Error('no request for offers'))
        return
      }
      if (request.kind === 'changed') this.#hasChanged(asker)
      else if (this.#key !== undefined) {
        // Made after the request has come: trust counts when it is answered.
        const services = trust.isTrusted(asker) ? this.#needs.own.current() : []
        const answer: OffersAnswer = { leaseMs: LEASE_MS, services }
        stream.send(encodeOffersAnswer(answer, { nonce: request.nonce, asker }, this.#key))
      }
      await stream.close({ signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })
    } catch (error) {
      log.debug('a request for offers was not answered', { peerId: asker, error })
      stream.abort(new Error('request for offers broke off'))
    } finally {
      clearTimeout(timeout)
    }
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

  /** Forgets what those told who are no longer trusted; those who are anew are asked, and told that they may ask. */
  #reviewTrust(): void {
    const { trust, host, book } = this.#needs
    book.sweep((peerId) => trust.isTrusted(peerId))
    const connected = new Set(host.libp2p.getPeers().map((peer) => peer.toString()))
    const trusted = new Set([...connected].filter((peerId) => trust.isTrusted(peerId)))
    for (const peerId of this.#known.keys()) if (!trusted.has(peerId)) this.#known.delete(peerId)
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

  #hasChanged(peerId: string): void {
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
