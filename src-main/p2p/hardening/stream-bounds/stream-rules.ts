// For libp2p 3.3.11: a protocol's streams have no bound on bytes, messages or rate, and `Registrar.use` cannot be used to
// add one (each inbound stream leaves its handler in the list). Goes when the protocols bound what they read.

import type { Connection, PeerId, Stream, StreamMiddleware } from '@libp2p/interface'
import type { Uint8ArrayList } from 'uint8arraylist'
import type { ExpelledPeers } from './expelled-peers.js'
import { FrameReader } from './frame-reader.js'
import type { PeerBudget } from './peer-budget.js'

/** What may come in on the streams of some protocols, before any of it is parsed. */
export interface StreamRule {
  protocols: readonly string[]
  /** What one message may have. */
  maxFrameBytes: number
  /** What all of one stream may have; absent: no end to it. */
  maxStreamBytes?: number
  /** Streams that peers may open. */
  streams?: PeerBudget
  /** Messages on streams that peers opened. */
  messages?: PeerBudget
  /** Bytes on streams that peers opened. */
  bytes?: PeerBudget
  /** Whether a message is of the agreed form; `isAnswer`: to what this node asked. */
  accepts?: (frame: Uint8Array, isAnswer: boolean) => boolean
  /** Offences that a peer without budget is charged with; `Infinity`, where no honest one gets there, expels it at once. */
  overspent: number
}

/** What is used of libp2p's registrar and connection manager. */
interface Streams {
  registrar: { getMiddleware(protocol: string): StreamMiddleware[] }
  connectionManager: { getConnections(peerId?: PeerId): Connection[] }
}

/** Holds every stream to the rule of its protocol, in both directions. Called once, before libp2p starts. */
export function boundStreams(libp2p: Streams, rules: readonly StreamRule[], expelled: ExpelledPeers): void {
  const { registrar, connectionManager } = libp2p
  const byProtocol = new Map(rules.flatMap((rule) => rule.protocols.map((protocol) => [protocol, rule] as const)))
  registrar.getMiddleware = (protocol) => {
    const rule = byProtocol.get(protocol)
    if (rule === undefined) return []
    return [
      (stream, connection, next) => {
        const connections = () => connectionManager.getConnections(connection.remotePeer)
        new BoundStream(stream, rule, { connection, connections, expelled }).begin()
        next(stream, connection)
      },
    ]
  }
}

/** Who a stream is from, and what becomes of a peer that breaks the rule. */
interface Sender {
  connection: Connection
  connections: () => Connection[]
  expelled: ExpelledPeers
}

/** One stream that is held to a rule. */
class BoundStream {
  readonly #stream: Stream
  readonly #rule: StreamRule
  readonly #sender: Sender
  readonly #frames: FrameReader
  readonly #isAnswer: boolean
  #bytes = 0

  constructor(stream: Stream, rule: StreamRule, sender: Sender) {
    this.#stream = stream
    this.#rule = rule
    this.#sender = sender
    this.#frames = new FrameReader(rule.maxFrameBytes)
    this.#isAnswer = stream.direction === 'outbound'
  }

  /** Throws, which resets the stream, when the peer may not open one. */
  begin(): void {
    const unpaid = this.#pay(this.#rule.streams, 1)
    if (unpaid !== undefined) throw new Error(unpaid)
    this.#listenBeforeReader()
  }

  /** A stream hands out what it has as soon as anyone listens, so this waits for the reader and goes ahead of it. */
  #listenBeforeReader(): void {
    const stream = this.#stream
    const addEventListener = stream.addEventListener.bind(stream)
    let isListening = false
    stream.addEventListener = (...args: Parameters<typeof addEventListener>) => {
      const [type] = args
      if (type === 'message' && !isListening) {
        isListening = true
        addEventListener('message', (event) => {
          const problem = this.#problemWith(event.data)
          if (problem === undefined) return
          event.stopImmediatePropagation()
          stream.abort(new Error(problem))
        })
      }
      addEventListener(...args)
    }
  }

  #problemWith(data: Uint8Array | Uint8ArrayList): string | undefined {
    const { maxStreamBytes = Infinity, accepts } = this.#rule
    this.#bytes += data.byteLength
    if (this.#bytes > maxStreamBytes) return this.#offence('too many bytes on one stream')
    const unpaid = this.#pay(this.#rule.bytes, data.byteLength)
    if (unpaid !== undefined) return unpaid
    try {
      for (const frame of this.#frames.take(data)) {
        const refused = this.#pay(this.#rule.messages, 1)
        if (refused !== undefined) return refused
        if (accepts?.(frame, this.#isAnswer) === false) return this.#offence('a message of another form')
      }
    } catch (error) {
      return this.#offence(error instanceof Error ? error.message : String(error))
    }
    return undefined
  }

  #pay(budget: PeerBudget | undefined, cost: number): string | undefined {
    const { connection, connections, expelled } = this.#sender
    const spender = this.#isAnswer ? undefined : budget?.spend(connection, cost)
    if (spender === undefined) return undefined
    const what = `more than a ${spender} may send`
    const { overspent } = this.#rule
    if (spender === 'peer') expelled.offended(connection.remotePeer.toString(), connections, what, overspent)
    // Others of its source may be honest, so none of them is refused when it comes back.
    else if (overspent === Infinity) connection.abort(new Error(what))
    return what
  }

  #offence(what: string): string {
    const { connection, connections, expelled } = this.#sender
    expelled.offended(connection.remotePeer.toString(), connections, what)
    return what
  }
}
