import { generateKeyPair } from '@libp2p/crypto/keys'
import type { Libp2p, Stream } from '@libp2p/interface'
import { noise } from '@libp2p/noise'
import { tcp } from '@libp2p/tcp'
import { webSockets } from '@libp2p/websockets'
import { yamux } from '@libp2p/yamux'
import { createLibp2p } from 'libp2p'
import { Uint8ArrayList } from 'uint8arraylist'
import { noiseCrypto } from '../../../src-main/p2p/hardening/noise-crypto.js'
import { tunings } from '../../../src-main/p2p/hardening/transports/index.js'
import { tunedTransport } from '../../../src-main/p2p/hardening/transports/intercept-upgrade.js'
import { plainFrames, sendAtOnce } from '../../../src-main/p2p/hardening/transports/plain-frames.js'
import { batchedFrames, tuneStream } from '../../../src-main/p2p/hardening/transports/write-batching.js'
import { YAMUX_OPTIONS } from '../../../src-main/p2p/host/limits.js'
import { createTls } from '../../../src-main/p2p/tls/index.js'
import { silentLog as log } from '../../fixtures/hosts.js'
import { median } from '../statistics.ts'

type Cipher = 'noise' | 'wasm' | 'tls'
/** A connection between two hosts of this process: what encrypts it, and whether its frames are plain ones. */
interface Kind {
  cipher: Cipher
  isPlain: boolean
  transport: 'tcp' | 'ws'
}
const WAYS: readonly Kind[] = [
  { transport: 'tcp', cipher: 'noise', isPlain: false },
  { transport: 'tcp', cipher: 'noise', isPlain: true },
  { transport: 'tcp', cipher: 'wasm', isPlain: true },
  { transport: 'tcp', cipher: 'tls', isPlain: false },
  { transport: 'tcp', cipher: 'tls', isPlain: true },
  { transport: 'ws', cipher: 'noise', isPlain: true },
  { transport: 'ws', cipher: 'wasm', isPlain: true },
  { transport: 'ws', cipher: 'tls', isPlain: true },
]
const nameOf = ({ transport, cipher, isPlain }: Kind): string =>
  `${transport}: ${cipher}${isPlain ? ', plain frames' : ''}`

const PROTOCOL = '/bench/1.0.0'
const STREAMS = 100
const MANY = { maxInboundStreams: 1_000, maxOutboundStreams: 1_000 }
const MESSAGE = Buffer.alloc(180, 'x')
/** Messages of each stream in a round, and how many streams speak in one turn. */
const MESSAGES = 60
const A_TURN = 4
const BLOCK = Buffer.alloc(64 * 1024, 'y')
const BLOCKS = 320
const WARM_UPS = 2

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

/** What one way took in one round. */
export interface Taken {
  messageUs: number
  mebibyteMs: number
}

class Connected {
  readonly #out: Stream[] = []
  #received = 0
  #wanted = Infinity
  #onAll: () => void = () => undefined
  readonly #isPlain: boolean

  private constructor(isPlain: boolean) {
    this.#isPlain = isPlain
  }

  static async by(kind: Kind): Promise<Connected> {
    const made = new Connected(kind.isPlain)
    const [from, to] = [await startHost(kind), await startHost(kind)]
    await to.handle(PROTOCOL, (stream) => made.#receive(stream), MANY)
    const [address] = to.getMultiaddrs()
    if (address === undefined) throw new Error('the host does not listen')
    const connection = await from.dial(address)
    for (let count = 0; count < STREAMS; count += 1) {
      const stream = await connection.newStream(PROTOCOL, MANY)
      tuneStream(stream)
      made.#out.push(stream)
    }
    return made
  }

  #receive(stream: Stream & { onData?: (data: Uint8Array | Uint8ArrayList) => void }): void {
    tuneStream(stream)
    // As a StreamDuplex takes it.
    if (this.#isPlain) stream.onData = ({ byteLength }) => this.#count(byteLength)
    else stream.addEventListener('message', ({ data }) => this.#count(data.byteLength))
  }

  #count(bytes: number): void {
    this.#received += bytes
    if (this.#received >= this.#wanted) this.#onAll()
  }

  #send(stream: Stream | undefined, bytes: Buffer): void {
    if (stream === undefined) return
    const data = new Uint8ArrayList(bytes)
    if (!this.#isPlain || !sendAtOnce(stream, data)) stream.send(data)
  }

  /** CPU of both ends, ms. */
  async #cpuOf(bytes: number, work: () => Promise<void>): Promise<number> {
    this.#wanted = this.#received + bytes
    // No turn is spent on waiting: it would be counted.
    const all = new Promise<void>((resolve) => (this.#onAll = resolve))
    const before = process.cpuUsage()
    await work()
    await all
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  }

  async measure(): Promise<Taken> {
    const count = STREAMS * MESSAGES
    const messages = await this.#cpuOf(count * MESSAGE.length, async () => {
      for (let sent = 0; sent < count; sent += 1) {
        this.#send(this.#out[sent % STREAMS], MESSAGE)
        if (sent % A_TURN === 0) await turn()
      }
    })
    const [stream] = this.#out
    const blocks = await this.#cpuOf(BLOCKS * BLOCK.length, async () => {
      for (let sent = 0; sent < BLOCKS; sent += 1) {
        this.#send(stream, BLOCK)
        if (stream?.writableNeedsDrain !== true) continue
        await new Promise((resolve) => stream.addEventListener('drain', resolve, { once: true }))
      }
    })
    return { messageUs: (messages * 1000) / count, mebibyteMs: blocks / ((BLOCKS * BLOCK.length) / 1024 / 1024) }
  }
}

async function startHost({ transport, cipher, isPlain }: Kind): Promise<Libp2p> {
  const privateKey = await generateKeyPair('Ed25519')
  const tls = cipher === 'tls' ? await createTls({ log }, privateKey) : undefined
  const batched = batchedFrames(yamux(YAMUX_OPTIONS), { log })
  const muxer = isPlain ? plainFrames(batched, { log }) : batched
  return await createLibp2p({
    privateKey,
    addresses: { listen: [`/ip4/127.0.0.1/tcp/0${transport === 'ws' ? '/ws' : ''}`] },
    transports: [tunedTransport(tcp(), tunings(log).tcp), tunedTransport(webSockets(), tunings(log).ws)],
    connectionEncrypters: [tls ?? noise({ crypto: noiseCrypto(cipher === 'noise') })],
    streamMuxers: [muxer],
    connectionGater: { denyDialMultiaddr: () => false },
  })
}

async function measureAll(rounds: number): Promise<Record<string, Taken>> {
  const taken = new Map<string, Taken[]>()
  const ways = new Map<string, Connected>()
  for (const way of WAYS) ways.set(nameOf(way), await Connected.by(way))
  for (let round = -WARM_UPS; round < rounds; round += 1) {
    for (const [name, way] of ways) {
      const sample = await way.measure()
      if (round >= 0) taken.set(name, [...(taken.get(name) ?? []), sample])
    }
  }
  return Object.fromEntries(
    [...taken].map(([name, samples]) => [
      name,
      {
        messageUs: median(samples.map(({ messageUs }) => messageUs)),
        mebibyteMs: median(samples.map(({ mebibyteMs }) => mebibyteMs)),
      },
    ]),
  )
}

process.on('message', ({ rounds }: { rounds: number }) => {
  measureAll(rounds).then(
    (result) => process.send?.(result),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
process.send?.({})
// Nobody is left to ask.
process.on('disconnect', () => process.exit())
