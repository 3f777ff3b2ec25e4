import type { PeerId } from '@libp2p/interface'
import { Candidates, type CandidatesNeeds } from './candidates.js'
import type { GoPeers } from './go-peers.js'
import type { GoRow } from './go-row.js'

/** What the reader works with. */
export interface GoReaderNeeds extends CandidatesNeeds {
  peers: GoPeers
  /** Hears what a node of the Go network has of this one, or that it has nothing. */
  onOwnRow?: (peerId: string, own: GoRow | undefined) => void
}

/** Between two rounds, and how many bytes a second the last one may have cost; at most, and where somebody came or went. */
const ROUND_MS = 20_000
const READ_BYTES_PER_S = 32 * 1024
const MAX_ROUND_MS = 5 * 60_000
const MIN_ROUND_MS = 2_000
/** Nodes whose table is read in one round. */
const MAX_ASKED = 3
const TICK_MS = 1_000
/** A change of connections is looked into after this long. */
const SETTLE_MS = 300

const HTTP = '/libp2p-http'
const BITSWAP = '/ipfs/bitswap'
/** Nodes of this program have this before the names of their protocols. */
const OURS = '/ocf/'

/**
 * Finds providers of the Go network: reads the tables of its nodes that are connected, and asks each provider that these
 * tell of at its own listener. What others say of it is hearsay, for anyone can write any row there.
 */
export class GoReader {
  readonly #needs: GoReaderNeeds
  readonly #stopping = new AbortController()
  readonly #candidates: Candidates
  #nodes: readonly string[] = []
  #round = 0
  #roundDueAtMs = 0
  #notBeforeMs = 0
  #reading: Promise<void> | undefined
  #ticking: NodeJS.Timeout | undefined

  constructor(needs: GoReaderNeeds) {
    this.#needs = needs
    this.#candidates = new Candidates(needs)
  }

  start(): void {
    const { libp2p } = this.#needs.host
    libp2p.addEventListener('peer:identify', this.#onMet)
    libp2p.addEventListener('peer:disconnect', this.#onGone)
    this.#ticking = setInterval(() => this.#tick(), TICK_MS).unref()
    this.#tick()
  }

  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return
    this.#stopping.abort()
    clearInterval(this.#ticking)
    if (this.#ticking !== undefined) {
      const { libp2p } = this.#needs.host
      libp2p.removeEventListener('peer:identify', this.#onMet)
      libp2p.removeEventListener('peer:disconnect', this.#onGone)
    }
    await Promise.all([this.#reading, this.#candidates.stop()])
  }

  /** Nodes of the Go network that were connected when it was looked last. */
  get nodes(): readonly string[] {
    return this.#nodes
  }

  async #lookForNodes(): Promise<void> {
    const { libp2p } = this.#needs.host
    const found: string[] = []
    for (const peer of libp2p.getPeers()) {
      if (await this.#isGoNode(peer)) found.push(peer.toString())
    }
    this.#nodes = found
  }

  /** Reads the tables soon: somebody came or went. */
  #hurry(): void {
    const soonAtMs = Math.max(this.#now() + SETTLE_MS, this.#notBeforeMs)
    this.#roundDueAtMs = Math.min(this.#roundDueAtMs, soonAtMs)
  }

  readonly #onMet = (): void => this.#hurry()

  readonly #onGone = ({ detail }: CustomEvent<PeerId>): void => {
    const peerId = detail.toString()
    if (this.#needs.providers.has(peerId) || this.#nodes.includes(peerId)) this.#hurry()
  }

  #now(): number {
    return this.#needs.monotonic.elapsedMs()
  }

  async #isGoNode(peer: PeerId): Promise<boolean> {
    const { host, table } = this.#needs
    if (table.get(peer.toString()) !== undefined) return false
    try {
      const { protocols } = await host.libp2p.peerStore.get(peer)
      const has = (prefix: string): boolean => protocols.some((protocol) => protocol.startsWith(prefix))
      return has(HTTP) && has(BITSWAP) && !has(OURS)
    } catch {
      // Nothing is known of it yet: identify tells.
      return false
    }
  }

  #tick(): void {
    if (this.#stopping.signal.aborted) return
    if (this.#reading === undefined && this.#now() >= this.#roundDueAtMs) {
      this.#roundDueAtMs = this.#now() + ROUND_MS
      this.#reading = this.#readRound().finally(() => (this.#reading = undefined))
    }
    this.#candidates.askDue()
  }

  async #readRound(): Promise<void> {
    const { log } = this.#needs
    const startedAtMs = this.#now()
    let bytes = 0
    let isWhole = true
    try {
      await this.#lookForNodes()
      const nodes = this.#nodes
      const asked = shuffled(nodes).slice(0, MAX_ASKED)
      this.#round += 1
      for (const peerId of asked) {
        try {
          bytes += await this.#readTableOf(peerId)
        } catch (error) {
          isWhole = false
          log.debug('a table of the Go network was not read', { peerId, error })
        }
      }
      if (isWhole && asked.length === nodes.length) this.#candidates.forgetUnlisted(this.#round)
      else if (isWhole && asked.length > 0) this.#candidates.forgetUnlisted(this.#round, ROUNDS_UNLISTED)
      this.#candidates.dropGone(nodes.length === 0)
    } finally {
      const paidMs = (bytes / READ_BYTES_PER_S) * 1000
      const pauseMs = Math.min(MAX_ROUND_MS, Math.max(ROUND_MS, paidMs))
      // Coming and going costs nothing, and must not make this node read all the time.
      this.#notBeforeMs = startedAtMs + Math.min(MAX_ROUND_MS, Math.max(MIN_ROUND_MS, paidMs))
      this.#roundDueAtMs = Math.max(this.#roundDueAtMs, this.#notBeforeMs)
      // Whoever was met meanwhile has asked for an earlier one.
      if (this.#roundDueAtMs >= startedAtMs + ROUND_MS) this.#roundDueAtMs = startedAtMs + pauseMs
      this.#candidates.askDue()
    }
  }

  async #readTableOf(peerId: string): Promise<number> {
    const { peers, host, onOwnRow, log } = this.#needs
    let own: GoRow | undefined
    const wanted = new Set<string>()
    const { bytes, rows } = await peers.readTable(peerId, this.#stopping.signal, (row) => {
      if (row.id === host.peerId) own = row
      else if (this.#candidates.note(row, peerId, this.#round)) wanted.add(row.id)
      return undefined
    })
    log.debug('a table of the Go network was read', { peerId, rows, bytes })
    onOwnRow?.(peerId, own)
    if (wanted.size === 0) return bytes
    const addresses = await peers.addresses(peerId, this.#stopping.signal, wanted)
    for (const [id, known] of addresses) await this.#candidates.remember(id, known)
    return bytes
  }
}

/** Rounds in which nobody lists a provider, where not all nodes are asked in each. */
const ROUNDS_UNLISTED = 4

function shuffled<T>(list: readonly T[]): T[] {
  return list
    .map((item) => ({ item, at: Math.random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
