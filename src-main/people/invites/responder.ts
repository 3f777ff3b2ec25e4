import type { Connection, Stream } from '@libp2p/interface'
import { BoundedMap } from '../../base/bounded-map.js'
import type { MonotonicClock } from '../../base/clock.js'
import { type Bucket, type BucketRate, fullBucket, refilled } from '../../base/token-bucket.js'
import { atMostEvery, type Log } from '../../logging/index.js'
import { addressGroup, type Host } from '../../p2p/index.js'
import { Frames } from '../frames.js'
import type { TrustStore } from '../trust-store.js'
import {
  type Answer,
  answerOf,
  challengeOf,
  type Exchange,
  EXCHANGE_WITHIN_MS,
  INVITE_PROTOCOL,
  MAX_FRAME_BYTES,
  newNonce,
  readHello,
  readProof,
} from './message.js'

/** Attempts from one source (see `addressGroup`) that fail: five a minute. One that succeeds costs nothing. */
const ATTEMPTS: BucketRate = { capacity: 5, refillPerS: 5 / 60 }
const MAX_SOURCES = 4_096
/** Exchanges at a time, of all sources and of one. */
const MAX_AT_ONCE = 32
const MAX_AT_ONCE_PER_SOURCE = 4
const WARN_EVERY_MS = 60_000

/** What an inviter answers with. */
export interface InviteResponderNeeds {
  host: Host
  store: Pick<TrustStore, 'invite' | 'redeem'>
  /** What this node calls itself. */
  ownName: () => string
  monotonic: MonotonicClock
  log: Log
}

/** Answers guests that come with an invite of this node. Who does not know the secret learns nothing, not even whether there is one. */
export class InviteResponder {
  readonly #needs: InviteResponderNeeds
  readonly #attempts = new BoundedMap<string, Bucket>(MAX_SOURCES)
  readonly #running = new Map<string, number>()
  readonly #warnGuesses: () => void
  #open = 0

  constructor(needs: InviteResponderNeeds) {
    this.#needs = needs
    this.#warnGuesses = atMostEvery(WARN_EVERY_MS, (leftOut) =>
      needs.log.warn('a peer came with an invite that is none', { timesBefore: leftOut }),
    )
  }

  async start(): Promise<void> {
    await this.#needs.host.libp2p.handle(INVITE_PROTOCOL, (stream, connection) => this.#onStream(stream, connection), {
      maxInboundStreams: MAX_AT_ONCE_PER_SOURCE,
      maxOutboundStreams: MAX_AT_ONCE_PER_SOURCE,
      runOnLimitedConnection: true,
    })
  }

  async stop(): Promise<void> {
    await this.#needs.host.libp2p.unhandle(INVITE_PROTOCOL)
  }

  #onStream(stream: Stream, connection: Connection): void {
    const source = addressGroup(connection.remoteAddr.toString())
    const running = this.#running.get(source) ?? 0
    if (this.#open >= MAX_AT_ONCE || running >= MAX_AT_ONCE_PER_SOURCE) {
      stream.abort(new Error('not now'))
      return
    }
    this.#open += 1
    this.#running.set(source, running + 1)
    void this.#talk(stream, connection.remotePeer.toString(), source).finally(() => {
      this.#open -= 1
      const left = (this.#running.get(source) ?? 1) - 1
      if (left === 0) this.#running.delete(source)
      else this.#running.set(source, left)
    })
  }

  async #talk(stream: Stream, guest: string, source: string): Promise<void> {
    const timeout = setTimeout(() => stream.abort(new Error('it took too long')), EXCHANGE_WITHIN_MS)
    try {
      const frames = new Frames(stream, MAX_FRAME_BYTES)
      if (this.#takeAttempt(source)) await this.#answer(frames, guest, source)
      else {
        await frames.next()
        frames.send(answerOf('busy', undefined))
      }
      await stream.close({ signal: AbortSignal.timeout(EXCHANGE_WITHIN_MS) })
    } catch (error) {
      this.#needs.log.debug('a guest did not finish', { peerId: guest, error })
      stream.abort(new Error('no invite'))
    } finally {
      clearTimeout(timeout)
    }
  }

  async #answer(frames: Frames, guest: string, source: string): Promise<void> {
    const { host, store, ownName } = this.#needs
    const hello = readHello(await frames.next())
    if (hello === undefined) throw new Error('no greeting')
    const inviterNonce = newNonce()
    const exchange: Exchange = {
      ...{ id: hello.id, guest, inviter: host.peerId },
      guestNonce: hello.nonce,
      inviterNonce,
    }
    frames.send(challengeOf(inviterNonce))
    const proof = await frames.next()
    const id = Buffer.from(hello.id).toString('hex')
    const invite = store.invite(id)
    const said = readProof(proof, exchange, invite?.key ?? NO_KEY)
    if (invite === undefined || said === undefined) {
      this.#warnGuesses()
      frames.send(answerOf('refused', undefined))
      return
    }
    this.#giveBack(source)
    const answer = await this.#redeem(id, { peerId: guest, name: said.name })
    // Whoever is not let in is not told a name either.
    const isIn = answer === 'accepted' || answer === 'already'
    const proven = answer === 'refused' ? undefined : { exchange, key: invite.key, name: isIn ? ownName() : '' }
    frames.send(answerOf(answer, proven))
  }

  /** It is stored before it is confirmed. */
  async #redeem(id: string, guest: { peerId: string; name: string }): Promise<Answer> {
    try {
      return await this.#needs.store.redeem(id, guest)
    } catch (error) {
      this.#needs.log.error('a guest could not be written down and is not trusted', { peerId: guest.peerId, error })
      return 'failed'
    }
  }

  #takeAttempt(source: string): boolean {
    const nowMs = this.#needs.monotonic.elapsedMs()
    const bucket = refilled(this.#attempts.get(source) ?? fullBucket(ATTEMPTS, nowMs), ATTEMPTS, nowMs)
    if (bucket.tokens < 1) return false
    this.#attempts.set(source, { ...bucket, tokens: bucket.tokens - 1 })
    return true
  }

  #giveBack(source: string): void {
    const bucket = this.#attempts.get(source)
    if (bucket !== undefined)
      this.#attempts.set(source, { ...bucket, tokens: Math.min(ATTEMPTS.capacity, bucket.tokens + 1) })
  }
}

/** Checked against where there is no invite, so that this takes as long. */
const NO_KEY = Buffer.from(newNonce()).toString('hex')
