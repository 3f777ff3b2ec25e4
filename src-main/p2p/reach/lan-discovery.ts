// For @libp2p/mdns 12.0.32: it asks once at its start, and then only at its interval, in one network of the machine; it
// takes what a packet says without a look at its sender; and it answers every question. Goes when it can be asked to
// repeat the first question in all networks, tells the sender, and answers no more than RFC 6762 (section 6: a record
// once a second).

import type { PeerDiscovery, Startable } from '@libp2p/interface'
import { mdns, type MulticastDNSComponents } from '@libp2p/mdns'
import type { Packet } from 'dns-packet'
import { monotonicClock } from '../../base/clock.js'
import { type BucketRate, fullBucket, refilled } from '../../base/token-bucket.js'
import { atMostEvery, type Log } from '../../logging/index.js'
import { LanAnswers, type MdnsPacket } from './lan-answers.js'
import { LanSenders } from './lan-senders.js'

const SERVICE_TAG = '_ocf._udp.local'

/** A query makes every node of the LAN answer to all: rare, once the first seconds are over. */
const QUERY_EVERY_MS = 120_000

/** The library asks once at its start, when other nodes of a LAN that is switched on may not listen yet. */
const FIRST_QUERIES_MS = [1_000, 3_000, 8_000, 20_000]

/** Answers go to all of the local network: those who ask together are served by one. */
const ANSWER_RATE: BucketRate = { capacity: 5, refillPerS: 1 }

const WARN_EVERY_MS = 10 * 60_000

/** What the library's service has besides its interface. */
interface Internals {
  mdns?: {
    query(query: { questions: { name: string; type: 'PTR' }[] }): void
    /** Of whatever it asks and answers, to all. */
    send(packet: Packet, ...rest: unknown[]): void
  }
  _onMdnsQuery?: (packet: unknown) => void
  _onMdnsResponse?: (packet: MdnsPacket, sender: { address: string }) => void
}

/** Finds nodes of the local network by multicast DNS, and answers those that look for them. */
export function lanDiscovery(needs: {
  /** The network of this machine that an address is in; undefined for an address of another one. */
  networkOf: (host: string) => string | undefined
  /** Gets each peer that is heard of and its addresses, each with its peer id. */
  onHeard: (peerId: string, addresses: readonly string[]) => void
  log: Log
}): (components: MulticastDNSComponents) => PeerDiscovery {
  return (components) => {
    const service = mdns({ serviceTag: SERVICE_TAG, interval: QUERY_EVERY_MS })(components) as PeerDiscovery & Startable
    const internals = service as Internals
    const answers = new LanAnswers(needs)
    const hear = internals._onMdnsResponse
    const reply = internals._onMdnsQuery
    if (hear === undefined || reply === undefined)
      needs.log.warn('multicast DNS does not fit this version of the library: nothing is heard')
    let replies = fullBucket(ANSWER_RATE, monotonicClock.elapsedMs())
    internals._onMdnsQuery = (packet) => {
      replies = refilled(replies, ANSWER_RATE, monotonicClock.elapsedMs())
      if (replies.tokens < 1) return
      replies = { ...replies, tokens: replies.tokens - 1 }
      reply?.(packet)
    }
    internals._onMdnsResponse = (packet, { address }) => {
      const believed = answers.believed(packet, address)
      if (believed !== undefined) hear?.(believed, { address })
    }
    const start = service.start.bind(service)
    const stop = service.stop.bind(service)
    let timers: NodeJS.Timeout[] = []
    const ask = (): void => internals.mdns?.query({ questions: [{ name: SERVICE_TAG, type: 'PTR' }] })
    const senders = new LanSenders()
    let failure: unknown
    const warn = atMostEvery(WARN_EVERY_MS, () =>
      needs.log.warn('multicast DNS did not get into every network of this machine', { error: failure }),
    )
    const sendToOthers = (packet: Packet): void =>
      void senders.send(packet).catch((error: unknown) => {
        failure = error
        warn()
      })
    service.start = async () => {
      await start()
      const { mdns: sender } = internals
      if (sender !== undefined) {
        const send = sender.send.bind(sender)
        sender.send = (packet, ...rest) => {
          send(packet, ...rest)
          sendToOthers(packet)
        }
      }
      timers = FIRST_QUERIES_MS.map((ms) => setTimeout(ask, ms).unref())
    }
    service.stop = async () => {
      timers.forEach((timer) => clearTimeout(timer))
      await stop()
      senders.close()
    }
    return service
  }
}
