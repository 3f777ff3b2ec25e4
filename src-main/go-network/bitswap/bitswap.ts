import type { Connection, Stream } from '@libp2p/interface'
import { BoundedMap } from '../../base/bounded-map.js'
import type { MonotonicClock } from '../../base/clock.js'
import { type Bucket, type BucketRate, fullBucket, refilled } from '../../base/token-bucket.js'
import type { Log } from '../../logging/index.js'
import { bestConnection, FrameReader, type Host, PeerBudget, type StreamRule } from '../../p2p/index.js'
import {
  BITSWAP_PROTOCOLS,
  decodeMessage,
  encodeMessage,
  MAX_MESSAGE_BYTES,
  type Want,
} from '../codecs/bitswap-message.js'
import { MAX_BLOCK_BYTES } from '../codecs/block.js'
import { type Cid, cidOf } from '../codecs/cid.js'
import { concat, varint } from '../codecs/protobuf.js'

/**
 * What peers may send on streams of bitswap. A node of the Go program that walks a long history asks everybody it is
 * connected to for each block, some 100 bytes each; nobody is expelled for that, and nothing is done for most of it.
 */
export function bitswapRule(): StreamRule {
  return {
    protocols: BITSWAP_PROTOCOLS,
    maxFrameBytes: MAX_MESSAGE_BYTES,
    bytes: new PeerBudget({ capacity: 16 * 1024 * 1024, refillPerS: 256 * 1024 }),
    overspent: 1,
  }
}

/** Blocks of a peer's wants that are answered: at once, and a second after that. The others it asks somebody else for. */
const ANSWERS: BucketRate = { capacity: 64, refillPerS: 16 }
const MAX_PEERS = 1_024
/** Messages on their way to one peer at a time; what is beyond is not sent. */
const MAX_STREAMS_TO_A_PEER = 8
const MAX_INBOUND_STREAMS = 32
const SEND_WITHIN_MS = 10_000
/** Peers that are asked for one block. */
const MAX_ASKED = 4
/** Blocks that are waited for at a time. */
const MAX_WAITING = 64

/** Somebody waits for a block. */
interface Waiter {
  resolve: (block: Uint8Array) => void
  reject: (error: Error) => void
  /** Who was asked and has not said that it has it not. */
  asked: Set<string>
}

/** What {@link Bitswap} works with. */
export interface BitswapNeeds {
  host: Host
  /** A block of this node's own, for whoever wants it; others' blocks are theirs to give. */
  ownBlock: (cid: Cid) => Uint8Array | undefined
  /** A peer was sent this block. */
  onGiven: (cid: Cid) => void
  monotonic: MonotonicClock
  log: Log
}

/** Gives this node's blocks to whoever asks for them, and fetches those of others. */
export class Bitswap {
  readonly #needs: BitswapNeeds
  readonly #stopping = new AbortController()
  readonly #waiting = new Map<Cid, Waiter>()
  readonly #buckets = new BoundedMap<string, Bucket>(MAX_PEERS)
  readonly #sending = new Map<string, number>()
  #isHandling = false

  constructor(needs: BitswapNeeds) {
    this.#needs = needs
  }

  async start(): Promise<void> {
    this.#isHandling = true
    await this.#needs.host.libp2p.handle(
      [...BITSWAP_PROTOCOLS],
      (stream, connection) => this.#onStream(stream, connection),
      { maxInboundStreams: MAX_INBOUND_STREAMS, maxOutboundStreams: MAX_INBOUND_STREAMS, runOnLimitedConnection: true },
    )
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    if (!this.#isHandling) return
    this.#isHandling = false
    await this.#needs.host.libp2p.unhandle([...BITSWAP_PROTOCOLS])
  }

  /** The bytes of a block, asked of some of these peers. Rejects where none gives it before `signal` aborts. */
  async fetch(cid: Cid, peerIds: readonly string[], signal: AbortSignal): Promise<Uint8Array> {
    if (this.#waiting.size >= MAX_WAITING || this.#waiting.has(cid)) throw new Error('too many blocks are waited for')
    const ended = AbortSignal.any([signal, this.#stopping.signal])
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>()
    const onAbort = (): void => reject(new Error('no one gave the block', { cause: ended.reason }))
    ended.addEventListener('abort', onAbort, { once: true })
    const asked = [...new Set(peerIds)].slice(0, MAX_ASKED)
    this.#waiting.set(cid, { resolve, reject, asked: new Set(asked) })
    try {
      ended.throwIfAborted()
      const want: Want = { cid, type: 'block', cancel: false, sendDontHave: true }
      const sent = await Promise.all(asked.map((peerId) => this.#send(peerId, encodeMessage({ wants: [want] }))))
      if (!sent.includes(true)) throw new Error('no one could be asked for the block')
      return await promise
    } finally {
      ended.removeEventListener('abort', onAbort)
      this.#waiting.delete(cid)
    }
  }

  #onStream(stream: Stream, connection: Connection): void {
    const frames = new FrameReader(MAX_MESSAGE_BYTES)
    const peerId = connection.remotePeer.toString()
    stream.addEventListener('message', ({ data }) => {
      try {
        for (const frame of frames.take(data)) this.#onMessage(frame, peerId)
      } catch (error) {
        stream.abort(error instanceof Error ? error : new Error('no message of bitswap'))
      }
    })
    // Its side of the stream says nothing more, and this one never says anything.
    stream.addEventListener('remoteCloseWrite', () => {
      stream.close({ signal: AbortSignal.timeout(SEND_WITHIN_MS) }).catch((error: unknown) => {
        this.#needs.log.debug('a stream of bitswap did not close', { peerId, error })
      })
    })
  }

  #onMessage(frame: Uint8Array, peerId: string): void {
    const message = decodeMessage(frame)
    if (message === undefined) throw new Error('no message of bitswap')
    // Whatever nobody waits for is not even hashed.
    if (this.#waiting.size > 0) {
      for (const block of message.blocks) {
        if (block.byteLength > MAX_BLOCK_BYTES) continue
        this.#waiting.get(cidOf(block))?.resolve(block.slice())
      }
      for (const { cid, has } of message.presences) if (!has) this.#hasNot(cid, peerId)
    }
    const wants = message.wants.filter(({ cancel }) => !cancel)
    if (wants.length > 0) this.#answer(peerId, wants)
  }

  #hasNot(cid: Cid, peerId: string): void {
    const waiter = this.#waiting.get(cid)
    if (waiter?.asked.delete(peerId) === true && waiter.asked.size === 0)
      waiter.reject(new Error('no one has the block'))
  }

  #answer(peerId: string, wants: readonly Want[]): void {
    const { ownBlock, onGiven, monotonic } = this.#needs
    const blocks = new Map<Cid, Uint8Array>()
    const presences: { cid: Cid; has: boolean }[] = []
    for (const { cid, type, sendDontHave } of wants) {
      const block = ownBlock(cid)
      if (block === undefined && !sendDontHave) continue
      if (!this.#pay(peerId, monotonic.elapsedMs())) break
      if (block === undefined || type === 'have') presences.push({ cid, has: block !== undefined })
      else blocks.set(cid, block)
    }
    if (blocks.size + presences.length === 0) return
    const answer = encodeMessage({ blocks: [...blocks.values()], presences })
    void this.#send(peerId, answer).then((isSent) => {
      if (isSent) for (const cid of blocks.keys()) onGiven(cid)
    })
  }

  #pay(peerId: string, nowMs: number): boolean {
    const bucket = refilled(this.#buckets.peek(peerId) ?? fullBucket(ANSWERS, nowMs), ANSWERS, nowMs)
    const isEnough = bucket.tokens >= 1
    this.#buckets.set(peerId, isEnough ? { ...bucket, tokens: bucket.tokens - 1 } : bucket)
    return isEnough
  }

  /** Sends a message on a stream of its own, as the Go program does. False where that was not possible; never rejects. */
  async #send(peerId: string, message: Uint8Array): Promise<boolean> {
    const { host, log } = this.#needs
    const connection = bestConnection(host.connectionsTo(peerId))
    const running = this.#sending.get(peerId) ?? 0
    if (connection === undefined || running >= MAX_STREAMS_TO_A_PEER) return false
    this.#sending.set(peerId, running + 1)
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(SEND_WITHIN_MS)])
    let stream: Stream | undefined
    try {
      stream = await connection.newStream([...BITSWAP_PROTOCOLS], {
        signal,
        runOnLimitedConnection: true,
        maxOutboundStreams: MAX_INBOUND_STREAMS,
      })
      stream.send(concat([varint(message.byteLength), message]))
      await stream.close({ signal })
      return true
    } catch (error) {
      stream?.abort(error instanceof Error ? error : new Error('it could not be sent'))
      log.debug('a message of bitswap was not sent', { peerId, error })
      return false
    } finally {
      const left = (this.#sending.get(peerId) ?? 1) - 1
      if (left === 0) this.#sending.delete(peerId)
      else this.#sending.set(peerId, left)
    }
  }
}
