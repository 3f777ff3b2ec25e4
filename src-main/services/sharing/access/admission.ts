import type { Usage } from '#shared/contract/sharing/limits.js'
import { AppError } from '#shared/errors.js'
import type { Limits } from '#shared/limits.js'
import type { MonotonicClock } from '../../../base/clock.js'
import { Listeners } from '../../../base/listeners.js'
import type { Ledger } from '../ledger/index.js'
import { EntryRules } from './entry-rules.js'
import { PeerRequest } from './peer-request.js'
import { Queue } from './queue.js'
import { Slots } from './slots.js'
import type { Admission, Asker, SlotRequest } from './index.js'

/** A body may take this long to arrive before its room in the queue goes to others. */
const ARRIVAL_MS = 120_000

interface AdmissionNeeds {
  monotonic: MonotonicClock
  limits: () => Limits
  /** What each peer was given. */
  ledger: Pick<Ledger, 'givenToday'>
}

/** The slots for other peers' requests: a bounded, short and fair queue before them, the owner's own always ahead. */
export function createAdmission(needs: AdmissionNeeds): Admission {
  return new FairAdmission(needs)
}

class FairAdmission implements Admission {
  readonly #limits: () => Limits
  readonly #ledger: AdmissionNeeds['ledger']
  readonly #rules: EntryRules
  readonly #queue = new Queue()
  readonly #slots: Slots
  /** Since the start, by error code. */
  readonly #refused = new Map<string, number>()
  readonly #listeners = new Listeners()

  constructor(needs: AdmissionNeeds) {
    this.#limits = needs.limits
    this.#ledger = needs.ledger
    this.#rules = new EntryRules(needs)
    this.#slots = new Slots(() => needs.limits().concurrent)
  }

  enter(asker: Asker): SlotRequest {
    this.check(asker)
    const request = new PeerRequest(asker)
    this.#join(request)
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
    if (reason !== undefined) for (const request of this.#queue) this.#refuse(request, reason)
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
    return this.#slots.free > 0
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

  /** Room in the queue, if need be that of a peer who has more of it. */
  #join(request: PeerRequest): void {
    const leaving = this.#queue.join(request, this.#limits().queue + this.#slots.free)
    if (leaving === 'full') throw this.#counted(this.#busy())
    if (leaving !== undefined) this.#refuse(leaving, this.#busy())
    request.startTimer(ARRIVAL_MS, () => this.#refuse(request, this.#busy()))
  }

  #acquire(request: PeerRequest): void {
    request.stopTimer()
    this.#serveNext()
    if (request.isWaiting) {
      request.startTimer(this.#limits().queueTimeMs, () => this.#refuse(request, this.#busy()))
    }
    this.#changed()
  }

  #release(request: PeerRequest): void {
    if (request.hasEnded) return
    if (request.isRunning) this.#slots.release(request)
    else this.#queue.leave(request)
    request.end()
    this.#serveNext()
    this.#changed()
  }

  #serveNext(): void {
    while (this.#queue.size > 0 && this.#slots.free > 0) {
      const next = this.#slots.next(this.#queue.waiting())
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

  #refuse(request: PeerRequest, error: AppError): void {
    this.#queue.leave(request)
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
