import { AppError } from '#shared/errors.js'
import type { Limits } from '#shared/limits.js'
import { BoundedMap } from '../../../base/bounded-map.js'
import type { MonotonicClock } from '../../../base/clock.js'
import type { Ledger } from '../ledger/index.js'
import type { Ranks } from './ranks.js'
import { Rates } from './rates.js'
import type { Asker } from './index.js'

/** Peers of whom it is known where they came from last, for the tokens of their answers. */
const MAX_PEERS = 4096

/** Which peers may ask, before any slot is looked for. */
export class EntryRules {
  /** Why no request may enter at present; undefined while sharing is not paused. */
  closed: AppError | undefined
  readonly #limits: () => Limits
  readonly #ledger: Pick<Ledger, 'givenToday'>
  readonly #ranks: Pick<Ranks, 'of'>
  readonly #rates: Rates
  readonly #sources = new BoundedMap<string, string>(MAX_PEERS)

  constructor(needs: {
    monotonic: MonotonicClock
    limits: () => Limits
    ledger: Pick<Ledger, 'givenToday'>
    ranks: Pick<Ranks, 'of'>
  }) {
    this.#limits = needs.limits
    this.#ledger = needs.ledger
    this.#ranks = needs.ranks
    this.#rates = new Rates(needs)
  }

  /** Why this peer may not use the machine now; undefined when it may. Asking counts for nothing. */
  refusal(asker: Asker): AppError | undefined {
    const { allowedPeers, blockedPeers } = this.#limits()
    const { peerId } = asker
    const isAllowed = allowedPeers.length === 0 || allowedPeers.includes(peerId)
    if (!isAllowed || blockedPeers.includes(peerId)) {
      return new AppError('peer_not_allowed', 'The owner of this node does not share with this peer.')
    }
    if (this.closed !== undefined || !asker.usesModel) return this.closed
    return this.#tokensUsedUp(peerId) ?? this.#rates.tokensRefusal(this.#ranks.of(asker))
  }

  /** Counts one request of this peer: why it comes too soon, or undefined. */
  countRequest(asker: Asker): AppError | undefined {
    this.#sources.set(asker.peerId, asker.source)
    return this.#rates.countRequest(this.#ranks.of(asker))
  }

  /** Counts tokens of an answer to this peer, for the source it came from last as well. */
  charge(peerId: string, tokens: number): void {
    const source = this.#sources.peek(peerId)
    if (source !== undefined && tokens > 0) this.#rates.takeTokens(this.#ranks.of({ peerId, source }), tokens)
  }

  /** Why this peer gets no more tokens today, or undefined. */
  #tokensUsedUp(peerId: string): AppError | undefined {
    const { tokensPerDay } = this.#limits()
    if (tokensPerDay === 0) return undefined
    const { tokens, endsInMs } = this.#ledger.givenToday(peerId)
    if (tokens < tokensPerDay) return undefined
    return new AppError('rate_limited', `This peer may use ${tokensPerDay} tokens a day. Try again tomorrow.`, {
      retryAfterS: Math.ceil(endsInMs / 1000),
    })
  }
}
