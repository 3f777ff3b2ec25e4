import { BoundedMap } from '../../base/bounded-map.js'
import { monotonicClock, type MonotonicClock } from '../../base/clock.js'
import { type Bucket, type BucketRate, fullBucket, refilled } from '../../base/token-bucket.js'
import { readDialAddress } from '../dial/dial-policy.js'

/** A record of a multicast DNS packet, as far as it is read. */
interface MdnsRecord {
  name: string
  type: string
  data: unknown
}

/** An answer as `multicast-dns` gives it. */
export interface MdnsPacket {
  answers?: MdnsRecord[]
  additionals: MdnsRecord[]
}

const PREFIX = 'dnsaddr='
/** Addresses of one answer that are read. */
const MAX_ADDRESSES = 16
/** Peers that were not heard of before, of one machine and of all. A machine has some nodes at most. */
const SENDER_RATE: BucketRate = { capacity: 5, refillPerS: 1 / 60 }
const ALL_RATE: BucketRate = { capacity: 100, refillPerS: 1 }
const MAX_SENDERS = 1_000
const MAX_KNOWN = 2_000

/** What is believed of what machines of the local network say: anyone in it can say anything, and under any peer id. */
export class LanAnswers {
  readonly #networkOf: (host: string) => string | undefined
  readonly #onHeard: (peerId: string, addresses: readonly string[]) => void
  readonly #clock: MonotonicClock
  readonly #known = new BoundedMap<string, true>(MAX_KNOWN)
  readonly #senders = new BoundedMap<string, Bucket>(MAX_SENDERS)
  #all: Bucket

  /** `onHeard` gets what is believed: a peer and its addresses, each with its peer id. */
  constructor(needs: {
    networkOf: (host: string) => string | undefined
    onHeard?: (peerId: string, addresses: readonly string[]) => void
    clock?: MonotonicClock
  }) {
    this.#networkOf = needs.networkOf
    this.#onHeard = needs.onHeard ?? (() => undefined)
    this.#clock = needs.clock ?? monotonicClock
    this.#all = fullBucket(ALL_RATE, this.#clock.elapsedMs())
  }

  /**
   * The packet with the addresses of one peer that lie in the network its sender is in, which is one of this machine's;
   * undefined where none are left, or that sender has told of too many peers.
   */
  believed(packet: MdnsPacket, sender: string): MdnsPacket | undefined {
    const network = this.#networkOf(sender)
    if (network === undefined) return undefined
    const records = [...(packet.answers ?? []), ...packet.additionals]
    const told = records.filter(({ type }) => type === 'TXT').flatMap((record) => textsOf(record))
    const near = told.flatMap((text) => {
      const address = readDialAddress(text)
      const isNear = address !== undefined && !address.isName && this.#networkOf(address.host) === network
      return isNear && address.peerId !== undefined ? [{ text, peerId: address.peerId }] : []
    })
    const [first] = near
    if (first === undefined || !this.#mayTell(sender, first.peerId)) return undefined
    const texts = near.flatMap(({ text, peerId }) => (peerId === first.peerId ? [text] : [])).slice(0, MAX_ADDRESSES)
    const data = texts.map((text) => Buffer.from(PREFIX + text))
    const name = records.find(({ type }) => type === 'PTR')
    if (name === undefined) return undefined
    this.#onHeard(first.peerId, texts)
    return { answers: [name, { name: '', type: 'TXT', data }], additionals: [] }
  }

  #mayTell(sender: string, peerId: string): boolean {
    const key = `${sender} ${peerId}`
    if (this.#known.get(key) === true) return true
    const nowMs = this.#clock.elapsedMs()
    const own = refilled(this.#senders.get(sender) ?? fullBucket(SENDER_RATE, nowMs), SENDER_RATE, nowMs)
    this.#all = refilled(this.#all, ALL_RATE, nowMs)
    this.#senders.set(sender, own)
    if (own.tokens < 1 || this.#all.tokens < 1) return false
    this.#senders.set(sender, { ...own, tokens: own.tokens - 1 })
    this.#all = { ...this.#all, tokens: this.#all.tokens - 1 }
    this.#known.set(key, true)
    return true
  }
}

/** The addresses in a TXT record, without their `dnsaddr=`. */
function textsOf({ data }: MdnsRecord): string[] {
  const parts: unknown[] = Array.isArray(data) ? data : [data]
  return parts.flatMap((part) => {
    const text = typeof part === 'string' ? part : part instanceof Uint8Array ? Buffer.from(part).toString() : ''
    return text.startsWith(PREFIX) ? [text.slice(PREFIX.length)] : []
  })
}
