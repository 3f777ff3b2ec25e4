import type { KeyObject } from 'node:crypto'
import type { Connection, Stream } from '@libp2p/interface'
import type { Log } from '../../logging/index.js'
import type { OwnOffersSource, Trust } from '../index.js'
import type { SenderLimits } from '../replicate/sender-limits.js'
import {
  decodeOffersRequest,
  encodeOffersAnswer,
  MAX_OFFERS_REQUEST_BYTES,
  type OffersAnswer,
} from '../wire/offers-message.js'
import { readShort } from '../wire/status-message.js'

/** Streams of strangers that are answered at once, and those of one trusted peer: the former never crowd out the latter. */
export const MAX_STRANGERS = 32
const MAX_OF_A_PEER = 4
/** How long an answer counts; a peer that is connected asks again before. */
const LEASE_MS = 10 * 60_000
const ANSWER_WITHIN_MS = 5_000
/** As with a status: one signature of ours is about two checks of theirs. */
const COST = 2

/** What {@link OfferResponder} works with. */
export interface OfferResponderNeeds {
  trust: Pick<Trust, 'isTrusted'>
  own: Pick<OwnOffersSource, 'current'>
  limits: SenderLimits
  key: KeyObject
  log: Log
  /** A peer says that what it offers has changed. */
  hasChanged: (peerId: string) => void
}

/** Answers peers that ask what they may use. Whoever is not trusted gets the very answer of a node that offers nothing. */
export class OfferResponder {
  readonly #needs: OfferResponderNeeds
  readonly #open = new Map<string, number>()
  #openOfStrangers = 0

  constructor(needs: OfferResponderNeeds) {
    this.#needs = needs
  }

  /** Takes a stream that a peer has opened. */
  onStream(stream: Stream, connection: Connection): void {
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
    const { limits, trust, own, key, log } = this.#needs
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
      if (request.kind === 'changed') this.#needs.hasChanged(asker)
      else {
        // Made after the request has come: trust counts when it is answered.
        const services = trust.isTrusted(asker) ? own.current() : []
        const answer: OffersAnswer = { leaseMs: LEASE_MS, services }
        stream.send(encodeOffersAnswer(answer, { nonce: request.nonce, asker }, key))
      }
      await stream.close({ signal: AbortSignal.timeout(ANSWER_WITHIN_MS) })
    } catch (error) {
      log.debug('a request for offers was not answered', { peerId: asker, error })
      stream.abort(new Error('request for offers broke off'))
    } finally {
      clearTimeout(timeout)
    }
  }
}
