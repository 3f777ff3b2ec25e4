import type { Connection, Stream } from '@libp2p/interface'
import { cleanName, MAX_NAME_LENGTH } from '#shared/person-names.js'
import { BoundedMap } from '../base/bounded-map.js'
import type { MonotonicClock } from '../base/clock.js'
import { type Bucket, type BucketRate, fullBucket, refilled } from '../base/token-bucket.js'
import type { Log } from '../logging/index.js'
import type { Host } from '../p2p/index.js'
import { Frames } from './frames.js'
import type { TrustStore } from './trust-store.js'

/** The stream protocol by which two peers tell each other their names. */
const NAME_PROTOCOL = '/ocf/name/1.0.0'

const WITHIN_MS = 5_000
const MAX_NAME_BYTES = 4 * MAX_NAME_LENGTH
const MAX_STREAMS = 32
const RATE: BucketRate = { capacity: 4, refillPerS: 1 / 30 }
const MAX_PEERS = 2_000

/** What telling names stands on. */
interface NameExchangeNeeds {
  host: Host
  store: Pick<TrustStore, 'isTrusted' | 'note'>
  ownName: () => string
  monotonic: MonotonicClock
  log: Log
}

/** Tells this node's name to those it trusts, and hears theirs. A stranger gets the answer of a node without a name. */
export class NameExchange {
  readonly #needs: NameExchangeNeeds
  readonly #asked = new BoundedMap<string, Bucket>(MAX_PEERS)
  #open = 0

  constructor(needs: NameExchangeNeeds) {
    this.#needs = needs
  }

  async start(): Promise<void> {
    await this.#needs.host.libp2p.handle(
      NAME_PROTOCOL,
      (stream, connection) => void this.#onStream(stream, connection),
      {
        maxInboundStreams: MAX_STREAMS,
        maxOutboundStreams: MAX_STREAMS,
        runOnLimitedConnection: true,
      },
    )
  }

  async stop(): Promise<void> {
    await this.#needs.host.libp2p.unhandle(NAME_PROTOCOL)
  }

  /** Tells the trusted peer at the other end, and hears its name. Never rejects: a peer may have no such protocol. */
  async tell(connection: Connection): Promise<void> {
    const signal = AbortSignal.timeout(WITHIN_MS)
    try {
      const stream = await connection.newStream(NAME_PROTOCOL, { signal, runOnLimitedConnection: true })
      await this.#within(stream, async (frames) => {
        frames.send(nameBytes(this.#needs.ownName()))
        this.#hear(connection, await frames.next())
      })
    } catch (error) {
      this.#needs.log.debug('names were not exchanged', { peerId: connection.remotePeer.toString(), error })
    }
  }

  async #onStream(stream: Stream, connection: Connection): Promise<void> {
    const peerId = connection.remotePeer.toString()
    if (this.#open >= MAX_STREAMS || !this.#takeTurn(peerId)) {
      stream.abort(new Error('not now'))
      return
    }
    this.#open += 1
    try {
      await this.#within(stream, async (frames) => {
        const said = await frames.next()
        const { store, ownName } = this.#needs
        frames.send(nameBytes(store.isTrusted(peerId) ? ownName() : ''))
        this.#hear(connection, said)
      })
    } catch (error) {
      this.#needs.log.debug('a peer did not tell its name', { peerId, error })
    } finally {
      this.#open -= 1
    }
  }

  async #within(stream: Stream, work: (frames: Frames) => Promise<void>): Promise<void> {
    const timeout = setTimeout(() => stream.abort(new Error('it took too long')), WITHIN_MS)
    try {
      await work(new Frames(stream, MAX_NAME_BYTES))
      await stream.close({ signal: AbortSignal.timeout(WITHIN_MS) })
    } catch (error) {
      stream.abort(error instanceof Error ? error : new Error('no name'))
      throw error
    } finally {
      clearTimeout(timeout)
    }
  }

  /** An empty name may also be that of a peer which does not trust this node: what was known stays. */
  #hear(connection: Connection, said: Uint8Array): void {
    const peerId = connection.remotePeer.toString()
    const name = cleanName(Buffer.from(said).toString('utf8'))
    if (name !== '') this.#needs.store.note(peerId, { ownName: name })
  }

  #takeTurn(peerId: string): boolean {
    const nowMs = this.#needs.monotonic.elapsedMs()
    const bucket = refilled(this.#asked.get(peerId) ?? fullBucket(RATE, nowMs), RATE, nowMs)
    if (bucket.tokens < 1) return false
    this.#asked.set(peerId, { ...bucket, tokens: bucket.tokens - 1 })
    return true
  }
}

const nameBytes = (name: string): Uint8Array => Buffer.from(name, 'utf8')
