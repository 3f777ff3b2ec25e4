import type { Connection, Stream } from '@libp2p/interface'
import type { Nearby, PairEnding, Pairing } from '#shared/contract/people/pairing.js'
import { AppError } from '#shared/errors.js'
import type { Clock, MonotonicClock } from '../../base/clock.js'
import { Listeners } from '../../base/listeners.js'
import { within } from '../../base/within.js'
import type { Log } from '../../logging/index.js'
import { type Host, sourceOfHost } from '../../p2p/index.js'
import { Frames } from '../frames.js'
import type { TrustStore } from '../trust-store.js'
import { AskLimits } from './ask-limits.js'
import { PairAttempt } from './attempt.js'
import { send, STEP_MS } from './conversation.js'
import { decode, MAX_FRAME_BYTES, PAIR_PROTOCOL, type Reason } from './message.js'
import { ipOf, NearbyPeers } from './nearby.js'

/** How long (ms) both persons have to compare the codes. */
const PERSON_MS = 2 * 60_000
const REACH_WITHIN_MS = 15_000
/** Open pairings of each direction. */
const MAX_OPEN = 3
/** Pairings that are over and still shown. */
const MAX_OVER = 8
const MAX_STREAMS = 16
const MAX_STREAMS_PER_CONNECTION = 2

/** What pairing stands on. */
export interface PairingsNeeds {
  host: Host
  store: Pick<TrustStore, 'isTrusted' | 'isFull' | 'person' | 'trust' | 'untrust' | 'note' | 'onTrustChanged'>
  ownName: () => string
  /** Whether nodes nearby may ask this one: the setting `people.nearby`. */
  isAsked: () => boolean
  clock: Clock
  monotonic: MonotonicClock
  log: Log
}

/** Pairing with nodes of the local network: both screens show a code, and who confirms it on both is trusted. */
export class Pairings {
  readonly #needs: PairingsNeeds
  readonly #personMs: number
  readonly #nearby: NearbyPeers
  readonly #limits: AskLimits
  readonly #attempts = new Map<string, PairAttempt>()
  readonly #running = new Set<Promise<void>>()
  readonly #streams = new Set<Stream>()
  readonly #listeners = new Listeners()
  #unfollow: (() => void) | undefined

  constructor(needs: PairingsNeeds, options: { personMs?: number | undefined } = {}) {
    const { host, store, monotonic } = needs
    this.#needs = needs
    this.#personMs = options.personMs ?? PERSON_MS
    this.#nearby = new NearbyPeers({ host, store, nameOf: (peerId) => this.#nameOf(peerId) })
    this.#limits = new AskLimits(monotonic)
  }

  async start(): Promise<void> {
    this.#unfollow = this.#nearby.follow(() => this.#listeners.notify())
    await this.#needs.host.libp2p.handle(
      PAIR_PROTOCOL,
      (stream, connection) => void this.#track(this.#onStream(stream, connection)),
      { maxInboundStreams: MAX_STREAMS_PER_CONNECTION, maxOutboundStreams: MAX_STREAMS_PER_CONNECTION },
    )
  }

  async stop(): Promise<void> {
    this.#unfollow?.()
    await this.#needs.host.libp2p.unhandle(PAIR_PROTOCOL)
    for (const attempt of this.#attempts.values()) attempt.stop('broken-off')
    // Nor does the last word of a peer that keeps silent hold up the end.
    for (const stream of this.#streams) stream.abort(new Error('this node stops'))
    await Promise.all(this.#running)
    this.#attempts.clear()
  }

  /** The nodes of the local network. */
  nearby(): Nearby[] {
    return this.#nearby.list()
  }

  /** One for each peer, the latest last; a request of which no code is shown yet is not among them. */
  list(): Pairing[] {
    return [...this.#attempts.values()]
      .filter(({ direction, code }) => direction === 'outgoing' || code !== undefined)
      .map((attempt) => this.#viewOf(attempt))
  }

  /**
   * Asks a node nearby; the code comes later. While one with that peer is open, it is that one.
   * @throws AppError `not_found` for a peer that is not nearby, `rate_limited` while too many are open
   */
  pair(peerId: string): Pairing {
    const open = this.#open(peerId)
    if (open !== undefined && (open.direction === 'outgoing' || open.code !== undefined)) return this.#viewOf(open)
    const near = this.#nearby.list().find((peer) => peer.peerId === peerId)
    if (near === undefined) {
      throw new AppError('not_found', 'There is no node with this peer id on your local network.', { param: 'peer' })
    }
    if (this.#countOpen('outgoing') >= MAX_OPEN) {
      throw new AppError('rate_limited', `You are pairing with ${MAX_OPEN} nodes already. Answer one first.`)
    }
    this.#limits.forgive(peerId, sourceOfHost(near.address))
    const attempt = this.#begin('outgoing', peerId, near.address)
    void this.#track(this.#ask(attempt))
    return this.#viewOf(attempt)
  }

  /**
   * The person says that both screens show `code`.
   * @throws AppError `not_found` where none is open, `invalid_request` for another code than the one that is shown
   */
  confirm(peerId: string, code: string): Pairing {
    const attempt = this.#shown(peerId)
    if (attempt.code?.replace(' ', '') !== code.replace(' ', '')) {
      throw new AppError('invalid_request', 'This is not the code that is shown now. Compare it again.', {
        param: 'code',
      })
    }
    attempt.confirm()
    return this.#viewOf(attempt)
  }

  /** The person ends it; `differ`: as the codes do. @throws AppError `not_found` where none is open */
  async refuse(peerId: string, { differ }: { differ: boolean }): Promise<Pairing> {
    const attempt = this.#open(peerId)
    if (attempt === undefined) throw noneOpen()
    const how = differ ? 'differ' : 'refused'
    attempt.stop(how, how)
    await attempt.over
    return this.#viewOf(attempt)
  }

  /** Calls `listener` after each change of {@link Pairings.nearby} or {@link Pairings.list}; returns the way to stop. */
  onChanged(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  async #ask(attempt: PairAttempt): Promise<void> {
    const signal = AbortSignal.timeout(REACH_WITHIN_MS)
    const stream = await this.#openStream(attempt, signal)
    if (stream === undefined) return
    this.#streams.add(stream)
    if (attempt.isOpen) await attempt.run(new Frames(stream, MAX_FRAME_BYTES))
    await hangUp(stream)
    this.#streams.delete(stream)
    this.#needs.log.info('a node nearby was asked to pair', { peerId: attempt.peerId, ending: attempt.ending })
  }

  async #openStream(attempt: PairAttempt, signal: AbortSignal): Promise<Stream | undefined> {
    try {
      const connection = await this.#nearby.reach(attempt.peerId, signal)
      attempt.address = ipOf(connection.remoteAddr.toString())
      return await connection.newStream(PAIR_PROTOCOL, { signal })
    } catch (error) {
      const { name } = error as Error
      attempt.stop(name === 'UnsupportedProtocolError' ? 'unsupported' : 'unreachable')
      this.#needs.log.debug('a node nearby could not be asked to pair', { peerId: attempt.peerId, error })
      return undefined
    }
  }

  async #onStream(stream: Stream, connection: Connection): Promise<void> {
    if (this.#streams.size >= MAX_STREAMS) {
      stream.abort(new Error('not now'))
      return
    }
    this.#streams.add(stream)
    try {
      await this.#answer(new Frames(stream, MAX_FRAME_BYTES), connection)
      await hangUp(stream)
    } catch (error) {
      this.#needs.log.debug('a request to pair came to nothing', { peerId: connection.remotePeer.toString(), error })
      stream.abort(new Error('no pairing'))
    } finally {
      this.#streams.delete(stream)
    }
  }

  async #answer(frames: Frames, connection: Connection): Promise<void> {
    const { log } = this.#needs
    const peerId = connection.remotePeer.toString()
    const first = await within(frames.next(), STEP_MS, () => undefined)
    const message = first === undefined ? undefined : decode(first)
    if (message?.kind !== 'commit') throw new Error('no promise')
    const address = ipOf(connection.remoteAddr.toString())
    const why = this.#whyNot(peerId, connection, address)
    if (why !== undefined) {
      send(frames, { kind: 'no', reason: why })
      return
    }
    const attempt = this.#begin('incoming', peerId, address)
    log.info('a node of the local network asks to pair: `ocf pair` shows the code', { peerId, address })
    await attempt.run(frames, message.commitment)
    log.info('a node of the local network asked to pair', { peerId, ending: attempt.ending })
    this.#remember(attempt)
    if (attempt.ending === 'broken-off') throw new Error('it was broken off')
  }

  /** What is no person's doing is decided first. */
  #whyNot(peerId: string, connection: Connection, address: string): Reason | undefined {
    const { host, store, isAsked } = this.#needs
    if (!isAsked()) return 'off'
    if (!this.#nearby.isNear(connection)) return 'far'
    if (store.isFull && store.person(peerId) === undefined) return 'full'
    const open = this.#open(peerId)
    if (open?.direction === 'outgoing' && open.code === undefined) {
      // Both ask at once: the request of the lower id counts, and the person here asked, too.
      if (host.peerId < peerId) return 'crossed'
      open.stop('busy')
      return undefined
    }
    const source = sourceOfHost(address)
    const isWaiting = [...this.#attempts.values()].some(
      ({ isOpen, direction, address: other }) => isOpen && direction === 'incoming' && sourceOfHost(other) === source,
    )
    if (open !== undefined || isWaiting || this.#countOpen('incoming') >= MAX_OPEN) return 'busy'
    return this.#limits.take(peerId, source) ? undefined : 'busy'
  }

  /** What the person did counts for the next request. */
  #remember(attempt: PairAttempt): void {
    const { peerId, address, ending, code } = attempt
    if (code === undefined && this.#attempts.get(peerId) === attempt) this.#attempts.delete(peerId)
    const source = sourceOfHost(address)
    if (ending === 'trusted') this.#limits.forgive(peerId, source)
    else if (ending !== undefined && UNWANTED.has(ending)) this.#limits.refused(peerId, source)
  }

  #begin(direction: Pairing['direction'], peerId: string, address: string): PairAttempt {
    const onChanged = (): void => this.#listeners.notify()
    const facts = { self: this.#needs.host.peerId, peerId, address, direction, personMs: this.#personMs }
    const attempt = new PairAttempt({ ...this.#needs, onChanged }, facts)
    this.#attempts.get(peerId)?.stop('busy', 'busy')
    // What comes later stands at the end.
    this.#attempts.delete(peerId)
    this.#attempts.set(peerId, attempt)
    const over = [...this.#attempts.values()].filter(({ isOpen }) => !isOpen)
    for (const { peerId: old } of over.slice(0, -MAX_OVER)) this.#attempts.delete(old)
    onChanged()
    return attempt
  }

  #viewOf(attempt: PairAttempt): Pairing {
    return attempt.view(this.#nameOf(attempt.peerId))
  }

  #nameOf(peerId: string): string | undefined {
    const person = this.#needs.store.person(peerId)
    return person?.givenName ?? person?.ownName
  }

  #open(peerId: string): PairAttempt | undefined {
    const attempt = this.#attempts.get(peerId)
    return attempt?.isOpen === true ? attempt : undefined
  }

  #shown(peerId: string): PairAttempt {
    const attempt = this.#open(peerId)
    if (attempt?.code === undefined) throw noneOpen()
    return attempt
  }

  #countOpen(which: Pairing['direction']): number {
    return [...this.#attempts.values()].filter(({ isOpen, direction }) => isOpen && direction === which).length
  }

  async #track(work: Promise<void>): Promise<void> {
    this.#running.add(work)
    await work
    this.#running.delete(work)
  }
}

/** The person did not want it, or was not there. */
const UNWANTED: ReadonlySet<PairEnding> = new Set(['refused', 'differ', 'expired'])

const noneOpen = (): AppError =>
  new AppError('not_found', 'No code is being compared with this node. Pair again.', { param: 'peer' })

/** What was sent last still arrives; the stream is gone soon, whether the other side closes it or not. */
async function hangUp(stream: Stream): Promise<void> {
  const cut = (): void => stream.abort(new Error('the pairing is over'))
  setTimeout(cut, STEP_MS).unref()
  await stream.close({ signal: AbortSignal.timeout(STEP_MS) }).catch(cut)
}
