import type { MonotonicClock } from '../../base/clock.js'
import { Listeners } from '../../base/listeners.js'
import type { OfferedService, TrustedOffers } from '../index.js'
import { createOfferIndex, type ReadonlyProviderSet } from '../view/provider-set.js'
import type { OffersAnswer } from '../wire/offers-message.js'

/** Peers whose offers are kept. */
const MAX_PEERS = 1_000

/** What trusted peers told this node, each until its lease ends. */
export class OfferBook implements Omit<TrustedOffers, 'ask'> {
  readonly #monotonic: MonotonicClock
  readonly #kept = new Map<string, { service: readonly OfferedService[]; endsAtMs: number }>()
  readonly #index = createOfferIndex()
  readonly #listeners = new Listeners<[string]>()

  constructor(needs: { monotonic: MonotonicClock }) {
    this.#monotonic = needs.monotonic
  }

  of(peerId: string): readonly OfferedService[] {
    return this.#kept.get(peerId)?.service ?? []
  }

  providers(service: string, entry: string): ReadonlyProviderSet {
    return this.#index.providers(service, entry)
  }

  subscribe(listener: (peerId: string) => void): () => void {
    return this.#listeners.add(listener)
  }

  /** Takes in what a peer told; one that offers nothing takes no room. */
  take(peerId: string, { services: service, leaseMs }: OffersAnswer): void {
    const before = this.#kept.get(peerId)
    if (service.length === 0 || (before === undefined && this.#kept.size >= MAX_PEERS)) {
      this.drop(peerId)
      return
    }
    const endsAtMs = this.#monotonic.elapsedMs() + leaseMs
    this.#kept.set(peerId, { service, endsAtMs })
    if (before !== undefined && JSON.stringify(before.service) === JSON.stringify(service)) return
    if (before !== undefined) this.#index.remove(peerId, before)
    this.#index.add(peerId, { service })
    this.#listeners.notify(peerId)
  }

  /** Forgets what a peer told. */
  drop(peerId: string): void {
    const before = this.#kept.get(peerId)
    if (before === undefined) return
    this.#kept.delete(peerId)
    this.#index.remove(peerId, before)
    this.#listeners.notify(peerId)
  }

  /** Forgets what counts no longer: of peers that are not trusted any more, and where the lease is over. */
  sweep(isTrusted: (peerId: string) => boolean): void {
    const now = this.#monotonic.elapsedMs()
    for (const [peerId, { endsAtMs }] of [...this.#kept]) {
      if (endsAtMs <= now || !isTrusted(peerId)) this.drop(peerId)
    }
  }
}
