import type { Usage } from '#shared/contract/sharing/limits.js'
import { AppError } from '#shared/errors.js'
import type { Limits } from '#shared/limits.js'
import type { MonotonicClock } from '../../../base/clock.js'
import { Listeners } from '../../../base/listeners.js'
import type { Ledger } from '../ledger/index.js'
import { Arrivals } from './arrivals.js'
import { EntryRules } from './entry-rules.js'
import { PeerRequest } from './peer-request.js'
import { Queue } from './queue.js'
import { Ranks } from './ranks.js'
import { Slots } from './slots.js'
import type { Admission, ArrivingBody, Asker, SlotRequest } from './index.js'

interface AdmissionNeeds {
  monotonic: MonotonicClock
  limits: () => Limits
  /** What each peer was given. */
  ledger: Pick<Ledger, 'givenToday' | 'wasServed'>
  /** Whether the owner trusts that peer; may change at any time. */
  isTrusted: (peerId: string) => boolean
}

/**
 * The slots for other peers' requests, fair between the sources they come from: a bounded, short queue before them, and
 * before that those whose bodies are on their way. The owner's own requests are always ahead.
 */
export function createAdmission(needs: AdmissionNeeds): Admission {
  return new FairAdmission(needs)
}

class FairAdmission implements Admission {
  readonly #limits: () => Limits
  readonly #ledger: AdmissionNeeds['ledger']
  readonly #rules: EntryRules
  readonly #ranks: Ranks
  readonly #arrivals: Arrivals
  readonly #queue: Queue
  readonly #slots: Slots
  /** Since the start, by error code. */
  readonly #refused = new Map<string, number>()
  readonly #listeners = new Listeners()

  constructor(needs: AdmissionNeeds) {
    this.#limits = needs.limits
    this.#ledger = needs.ledger
    this.#ranks = new Ranks(needs)
    this.#rules = new EntryRules({ ...needs, ranks: this.#ranks })
    this.#arrivals = new Arrivals(this.#ranks)
    this.#queue = new Queue(this.#ranks)
    this.#slots = new Slots(this.#ranks, () => needs.limits().concurrent)
  }

  enter(asker: Asker, body: ArrivingBody): SlotRequest {
    this.check(asker)
    this.#ranks.noteAsked(asker.peerId)
    const request = new PeerRequest(asker, body)
    this.#arrive(request)
    this.#changed()
    return {
      acquire: () => request.wait(() => this.#acquire(request)),
      release: () => this.#release(request),
      refuse: (error) => {
        if (!request.hasEnded && !request.isRunning) this.#refuse(request, error)
      },
      onRefused: (listener) => request.onRefused(listener),
      onCut: (listener) => request.onCut(listener),
    }
  }

  check(asker: Asker): void {
    const error = this.#rules.refusal(asker) ?? this.#rules.countRequest(asker)
    if (error !== undefined) throw this.#counted(error)
  }

  charge(peerId: string, tokens: number): void {
    this.#rules.charge(peerId, tokens)
  }

  beginOwn(): () => void {
    this.#slots.acquireOwn()
    this.#changed()
    let ended = false
    return () => {
      if (ended) return
      ended = true
      this.#slots.releaseOwn()
      this.#serveNext()
      this.#changed()
    }
  }

  close(reason: AppError | undefined): void {
    this.#rules.closed = reason
    if (reason !== undefined) {
      for (const request of [...this.#arrivals, ...this.#queue]) this.#refuse(request, reason)
    }
    this.#changed()
  }

  get closed(): AppError | undefined {
    return this.#rules.closed
  }

  cutRunning(reason: AppError): void {
    for (const request of this.#slots.running()) request.cut(reason)
  }

  usage(): Usage {
    const limits = this.#limits()
    const consumers = new Map<string, Usage['consumers'][number]>()
    const consumerOf = ({ asker: { peerId } }: PeerRequest) => {
      const known = consumers.get(peerId) ?? {
        peerId,
        running: 0,
        waiting: 0,
        tokensToday: this.#ledger.givenToday(peerId).tokens,
      }
      consumers.set(peerId, known)
      return known
    }
    for (const request of this.#slots.running()) consumerOf(request).running += 1
    for (const request of this.#queue) consumerOf(request).waiting += 1
    return {
      slots: { used: this.#slots.used, total: limits.concurrent },
      queue: { used: this.#queue.size, total: limits.queue },
      ownRunning: this.#slots.own,
      consumers: [...consumers.values()],
      refused: [...this.#refused].map(([code, count]) => ({ code, count })),
      limits,
    }
  }

  get atWork(): number {
    return this.#slots.used + this.#slots.own
  }

  get hasRoom(): boolean {
    return this.#slots.own < Math.max(1, this.#limits().concurrent)
  }

  get limits(): Limits {
    return this.#limits()
  }

  subscribe(listener: () => void): () => void {
    return this.#listeners.add(listener)
  }

  limitsChanged(): void {
    this.#serveNext()
    this.#changed()
  }

  /** A full queue refuses it before its body is sent. */
  #arrive(request: PeerRequest): void {
    const { concurrent, queue } = this.#limits()
    if (!this.#queue.hasRoomFor(request.asker, this.#room)) throw this.#counted(this.#busy())
    const leaving = this.#arrivals.join(request, concurrent + queue)
    if (leaving === 'full') throw this.#counted(this.#busy())
    if (leaving !== undefined) this.#refuse(leaving, this.#busy())
    request.watchPace(() => this.#endSlow(request))
  }

  #acquire(request: PeerRequest): void {
    this.#arrivals.leave(request)
    const leaving = this.#queue.join(request, this.#room)
    if (leaving === 'full') {
      this.#refuse(request, this.#busy())
      return
    }
    if (leaving !== undefined) this.#refuse(leaving, this.#busy())
    this.#serveNext()
    if (request.isWaiting) {
      request.startTimer(this.#limits().queueTimeMs, () => this.#refuse(request, this.#busy()))
    }
    this.#changed()
  }

  /** Requests that may wait, counting those a free slot is there for. */
  get #room(): number {
    return this.#limits().queue + this.#slots.free
  }

  /** Its source has had its turn, as if it had been served. */
  #endSlow(request: PeerRequest): void {
    const error = tooSlow()
    this.#slots.charge(request.asker)
    if (request.isRunning) request.cut(this.#counted(error))
    else this.#refuse(request, error)
  }

  #release(request: PeerRequest): void {
    if (request.hasEnded) return
    if (request.isRunning) this.#slots.release(request)
    else this.#leave(request)
    request.end()
    this.#serveNext()
    this.#changed()
  }

  #serveNext(): void {
    while (this.#queue.size > 0 && this.#slots.free > 0) {
      const next = this.#slots.next(this.#queue.waiting)
      if (next === undefined) return
      // The owner may have changed the rules while it waited.
      const refusal = this.#rules.refusal(next.asker)
      if (refusal !== undefined) {
        this.#refuse(next, refusal)
        continue
      }
      this.#queue.leave(next)
      this.#slots.acquire(next)
      next.grant()
    }
  }

  #leave(request: PeerRequest): void {
    this.#arrivals.leave(request)
    this.#queue.leave(request)
  }

  #refuse(request: PeerRequest, error: AppError): void {
    this.#leave(request)
    request.refuse(this.#counted(error))
    this.#changed()
  }

  #busy(): AppError {
    const { queueTimeMs } = this.#limits()
    return new AppError('provider_busy', 'This node works on as many requests of others as its owner allows.', {
      retryAfterS: Math.max(1, Math.ceil(queueTimeMs / 2000)),
    })
  }

  #counted(error: AppError): AppError {
    this.#refused.set(error.code, (this.#refused.get(error.code) ?? 0) + 1)
    this.#changed()
    return error
  }

  #changed(): void {
    this.#listeners.notify()
  }
}

function tooSlow(): AppError {
  return new AppError('request_timeout', 'The body of this request came too slowly. Send it again.')
}
