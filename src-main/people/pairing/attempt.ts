import type { PairEnding, Pairing } from '#shared/contract/people/pairing.js'
import { AppError } from '#shared/errors.js'
import type { Clock } from '../../base/clock.js'
import { within } from '../../base/within.js'
import type { Log } from '../../logging/index.js'
import type { TrustStore } from '../trust-store.js'
import {
  agreeAsAsked,
  agreeAsAsker,
  type Line,
  PairEnded,
  send,
  settleAsAsked,
  settleAsAsker,
  type Settling,
  STEP_MS,
} from './conversation.js'
import { pairSentence } from './endings.js'
import type { Reason, Sides } from './message.js'

/** What one pairing stands on. */
interface AttemptNeeds {
  store: Pick<TrustStore, 'isTrusted' | 'trust' | 'untrust' | 'note'>
  ownName: () => string
  onChanged: () => void
  clock: Clock
  log: Log
}

/** What one pairing is. */
interface AttemptFacts {
  self: string
  peerId: string
  /** What the limits count it under; empty until it is known. */
  address: string
  direction: Pairing['direction']
  /** How long (ms) the persons have. */
  personMs: number
}

/** One pairing with one peer, from the request to its ending. */
export class PairAttempt {
  readonly peerId: string
  readonly direction: Pairing['direction']
  address: string
  readonly #needs: AttemptNeeds
  readonly #sides: Sides
  readonly #personMs: number
  readonly #sinceMs: number
  readonly #confirmed = Promise.withResolvers<undefined>()
  readonly #stopped = Promise.withResolvers<never>()
  readonly #over = Promise.withResolvers<undefined>()
  #hasConfirmed = false
  #theyConfirmed = false
  #code: string | undefined
  #untilMs: number | undefined
  #ending: PairEnding | undefined
  #timer: NodeJS.Timeout | undefined

  constructor(needs: AttemptNeeds, facts: AttemptFacts) {
    const { self, peerId, direction } = facts
    this.#needs = needs
    this.peerId = peerId
    this.direction = direction
    this.address = facts.address
    this.#personMs = facts.personMs
    this.#sinceMs = needs.clock.now()
    this.#sides = direction === 'outgoing' ? { asker: self, asked: peerId } : { asker: peerId, asked: self }
    this.#stopped.promise.catch(() => undefined) // Whoever waits hears of it.
  }

  get isOpen(): boolean {
    return this.#ending === undefined
  }

  /** Resolves when it is over. */
  get over(): Promise<undefined> {
    return this.#over.promise
  }

  get ending(): PairEnding | undefined {
    return this.#ending
  }

  /** The code, once there is one. */
  get code(): string | undefined {
    return this.#code
  }

  /** `name` is what the peer is called, where it is trusted. */
  view(name: string | undefined): Pairing {
    const { peerId, direction, address } = this
    return {
      ...{ peerId, direction, address, name: name ?? null, sinceMs: this.#sinceMs },
      state: this.#state,
      code: this.isOpen ? (this.#code ?? null) : null,
      theyConfirmed: this.#theyConfirmed,
      untilMs: this.isOpen ? (this.#untilMs ?? null) : null,
      ending: this.#ending ?? null,
      sentence: this.#ending === undefined ? null : pairSentence(this.#ending, name, peerId),
    }
  }

  get #state(): Pairing['state'] {
    if (!this.isOpen) return 'over'
    if (this.#code === undefined) return 'reaching'
    return this.#hasConfirmed ? 'waiting' : 'compare'
  }

  /** The person here says that both screens show the same. */
  confirm(): void {
    this.#hasConfirmed = true
    this.#confirmed.resolve(undefined)
    this.#needs.onChanged()
  }

  /** Ends it; `tell` is what the other side hears. Where the last words are being exchanged already, they count. */
  stop(ending: PairEnding, tell?: Reason): void {
    this.#stopped.reject(new PairEnded(ending, { tell }))
    if (this.#code === undefined) this.#end(ending)
  }

  /** Talks until it is over; `commitment` is what the other side began with. Never rejects. */
  async run(line: Line, commitment?: Uint8Array): Promise<void> {
    try {
      this.#show(await Promise.race([this.#stopped.promise, this.#agree(line, commitment)]))
      this.#end(await this.#settle(line))
    } catch (error) {
      const { ending, tell, heard } = error instanceof PairEnded ? error : new PairEnded('broken-off')
      // The request of the other side is on its way, and takes the place of this one.
      if (heard === 'crossed') await within(this.#stopped.promise, STEP_MS, () => undefined).catch(() => undefined)
      if (tell !== undefined) tryTo(() => send(line, { kind: 'no', reason: tell }))
      this.#end(ending)
    }
  }

  #agree(line: Line, commitment: Uint8Array | undefined): Promise<string> {
    return commitment === undefined ? agreeAsAsker(line, this.#sides) : agreeAsAsked(line, this.#sides, commitment)
  }

  #settle(line: Line): Promise<'trusted' | 'unsure'> {
    const { store, ownName, onChanged } = this.#needs
    const wasTrusted = store.isTrusted(this.peerId)
    const settling: Settling = {
      ...{ ownName, confirmed: this.#confirmed.promise, stopped: this.#stopped.promise },
      hasConfirmed: () => this.#hasConfirmed,
      onTheyConfirmed: () => {
        this.#theyConfirmed = true
        onChanged()
      },
      store: (name) => this.#store(name),
      undo: async () => {
        if (!wasTrusted) await store.untrust(this.peerId)
      },
      note: (name) => {
        if (name !== '') store.note(this.peerId, { ownName: name })
      },
    }
    return this.direction === 'outgoing' ? settleAsAsker(line, settling) : settleAsAsked(line, settling)
  }

  async #store(name: string): Promise<void> {
    const { peerId } = this
    const { store, log } = this.#needs
    try {
      await store.trust({ peerId, trustedBy: 'code', ownName: name || undefined })
    } catch (error) {
      log.error('a peer could not be written down and is not trusted', { peerId, error })
      const why = error instanceof AppError && error.code === 'invalid_request' ? 'full' : 'not-stored'
      throw new PairEnded(why, { tell: why })
    }
  }

  #show(code: string): void {
    this.#code = code
    this.#untilMs = this.#needs.clock.now() + this.#personMs
    this.#timer = setTimeout(() => this.stop('expired', 'expired'), this.#personMs).unref()
    this.#needs.onChanged()
  }

  #end(ending: PairEnding): void {
    clearTimeout(this.#timer)
    if (!this.isOpen) return
    this.#ending = ending
    this.#over.resolve(undefined)
    this.#needs.onChanged()
  }
}

function tryTo(act: () => void): void {
  try {
    act()
  } catch {
    // The line is gone.
  }
}
