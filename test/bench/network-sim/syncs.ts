import { type Bucket, fullBucket, refilled } from '../../../src-main/base/token-bucket.js'
import { drawn } from '../../../src-main/node-table/budget/drawn.js'
import {
  bytesOfRounds,
  PEERS_PER_ROUND,
  ROWS_OF_PARTIAL_SYNC,
  roundEveryMs,
} from '../../../src-main/node-table/budget/sync-plan.js'
import { MAX_ROWS } from '../../../src-main/node-table/wire/canonical-update.js'
import { COSTS } from './costs.js'
import type { Publication } from './gossip.js'
import { MEAN_SESSION_MS } from './internet.js'
import type { Network } from './network.js'
import { SPENT } from './traffic.js'

/** Rows that fit into one chunk of a sync; a full table says `enough` after the first. */
const ROWS_OF_CHUNK = 230
/** Until then a newcomer has next to no rows. */
export const NEWCOMER_MS = 60_000
/** How long a change is on its way, in s: two tables that are compared meanwhile differ. */
const ON_ITS_WAY_S = 2
const DAY_MS = 86_400_000
const FIRST_DAY = 20_000

/** Comparisons of tables. The rows of those that are not looked at are stood for by somebody's who is. */
export class Syncs {
  readonly #network: Network
  readonly #budgetBytesPerS: number
  readonly #rounds: (Bucket | undefined)[]

  constructor(network: Network, budgetBytesPerS: number) {
    this.#network = network
    this.#budgetBytesPerS = budgetBytesPerS
    this.#rounds = new Array<Bucket | undefined>(network.population.size)
  }

  /** A round, where it is affordable. Returns when the next one is due, in ms from now. */
  round(node: number, now: number): number {
    const { overlay, random, scenario } = this.#network
    const links = overlay.links[node] ?? []
    const rate = bytesOfRounds(this.#budgetBytesPerS)
    const bucket = refilled(this.#rounds[node] ?? fullBucket(rate, now), rate, now)
    for (let count = 0; count < PEERS_PER_ROUND && links.length > 0; count += 1) {
      if (bucket.tokens <= 0 && !scenario.former) break
      bucket.tokens -= this.compare(node, links[Math.floor(random() * links.length)] ?? node)
    }
    this.#rounds[node] = bucket
    const everyMs = roundEveryMs(this.#network.rowsOf(node), { budgetBytesPerS: this.#budgetBytesPerS })
    return everyMs * (0.75 + random() / 2)
  }

  /** One comparison. Returns the bytes of rows and state vectors, both ways. */
  compare(node: number, peer: number): number {
    const network = this.#network
    const { traffic, meanRows, clock, joinedAtMs } = network
    const isNewcomer = clock.atMs - (joinedAtMs[node] ?? 0) < NEWCOMER_MS
    const rows = isNewcomer ? 0 : network.rowsOf(node)
    const isPartial = network.isPartial(node) || network.isPartial(peer)
    if (!isPartial && rows < MAX_ROWS && rows > 0.9 * meanRows && this.#areEqual()) {
      traffic.both(SPENT.syncs, node, peer, COSTS.equalSyncBytes)
      return 0
    }
    const lacking = isPartial || rows >= MAX_ROWS ? meanRows * 0.9 : Math.max(2, meanRows - rows)
    const given = Math.min(isPartial ? ROWS_OF_PARTIAL_SYNC : ROWS_OF_CHUNK, lacking)
    const brought = Math.min(given, rows)
    const stateBytes = COSTS.equalSyncBytes + COSTS.stateBytesPerRow * Math.max(rows, meanRows)
    const ownStateBytes = COSTS.equalSyncBytes + COSTS.stateBytesPerRow * rows
    traffic.send(SPENT.syncs, peer, node, stateBytes + given * COSTS.syncRowBytes)
    traffic.send(SPENT.syncs, node, peer, ownStateBytes + brought * COSTS.syncRowBytes)
    this.#takeRows(node, peer, given)
    this.#takeRows(peer, node, brought)
    return 2 * stateBytes + (given + brought) * COSTS.syncRowBytes
  }

  /** Whole tables differ by what is on its way: who comes and goes. */
  #areEqual(): boolean {
    const { overlay, random, scenario } = this.#network
    const changesPerS = scenario.churn ? (2 * overlay.everybody.size) / (MEAN_SESSION_MS / 1000) : 0
    return random() < Math.exp(-ON_ITS_WAY_S * changesPerS)
  }

  #takeRows(taker: number, giver: number, count: number): void {
    const { observers, random, partition } = this.#network
    const mine = observers.view(taker)
    const view = observers.view(giver) ?? observers.any(random, (node) => !partition.areApart(node, giver))
    if (mine === undefined || view === undefined || view === mine) return
    for (const { peerId, expiresAtMs, seq, epoch } of drawn([...view.rows()], Math.ceil(count), random)) {
      const atMs = (epoch - FIRST_DAY) * DAY_MS + seq
      const leaseMs = expiresAtMs - (FIRST_DAY * DAY_MS + atMs)
      const owner = numberOf(peerId)
      const publication: Publication = { owner, kind: 'row', bytes: 0, leaseMs, atMs, isWithdrawal: false }
      observers.take(taker, publication, 'sync', giver)
    }
  }
}

/** The number of a node; below zero for one that was made up. */
export function numberOf(peerId: string): number {
  return Number(peerId.slice('12D3KooWnode'.length))
}
