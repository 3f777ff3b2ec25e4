import { type GossipBudget, type PassedEnvelope } from '../../../src-main/node-table/budget/gossip-budget.js'
import { Arrivals } from './arrivals.js'
import { COSTS } from './costs.js'
import type { Overlay } from './overlay.js'
import { SPENT, type Traffic } from './traffic.js'

/** A row, or a withdrawal, on its way. */
export interface Publication {
  owner: number
  kind: PassedEnvelope['kind']
  bytes: number
  leaseMs: number
  atMs: number
  isWithdrawal: boolean
}

/** What the flood of one publication asks. */
export interface GossipNeeds {
  overlay: Overlay
  traffic: Traffic
  budgets: readonly (GossipBudget | undefined)[]
  nodes: number
  random: () => number
  peerId: (node: number) => string
  /** False: everybody passes on everything, as before there were budgets. */
  hasBudgets: boolean
  /** Whether a node has a row of that owner: of those whose tables are not simulated, as likely as others have. */
  holds: (node: number, owner: number) => boolean
  /** Whether a table takes in an owner it does not know. */
  hasRoom: (node: number, owner: number) => boolean
  /** A node gets it for the first time. */
  onReceived: (node: number, from: number, publication: Publication, atMs: number) => void
  /** Virtual time at which budgets are asked. */
  setNow: (nowMs: number) => void
}

const [IHAVE_PEERS, IHAVE_BEATS] = [3, 2]
/** As in src-main/node-table/replicate/gossip.ts. */
const [FORWARD_AFTER_MS, FORWARD_SPREAD_MS] = [20, 60]

/**
 * Gossipsub as this project sets it up: the owner sends to all it is connected with, everybody else to the mesh, less
 * those that said they have it. All hops of one publication take place at once in virtual time, as they take a second
 * and nodes come and go by the hour.
 */
export class Gossip {
  readonly #needs: GossipNeeds
  readonly #stamp: Int32Array
  readonly #arrivedMs: Float64Array
  readonly #arrivals = new Arrivals()
  #number = 0

  constructor(needs: GossipNeeds) {
    this.#needs = needs
    this.#stamp = new Int32Array(needs.nodes)
    this.#arrivedMs = new Float64Array(needs.nodes)
  }

  /** Returns how many nodes it reached. */
  publish(publication: Publication): number {
    const { overlay } = this.#needs
    const { owner, atMs } = publication
    this.#number += 1
    this.#stamp[owner] = this.#number
    this.#arrivedMs[owner] = atMs
    for (const peer of overlay.links[owner] ?? []) this.#send(owner, peer, publication.bytes, atMs)
    let reached = 0
    const arrivals = this.#arrivals
    while (arrivals.take()) {
      const { atMs: atNextMs, from, to } = arrivals
      if (to < 0) {
        this.#forward(-1 - to, from, publication, atNextMs)
        continue
      }
      if (this.#stamp[to] === this.#number) continue
      this.#stamp[to] = this.#number
      this.#arrivedMs[to] = atNextMs
      reached += 1
      this.#receive(to, from, publication, atNextMs)
    }
    return reached
  }

  #receive(node: number, from: number, publication: Publication, atMs: number): void {
    const { overlay, traffic, onReceived } = this.#needs
    const mesh = overlay.mesh[node] ?? []
    // What it tells, it is told: the mesh is the same from both ends.
    traffic.send(SPENT.control, node, node, Math.max(0, mesh.length - 1) * COSTS.gossipControlBytes)
    const mayPass = this.#passesOn(node, from, publication, atMs)
    onReceived(node, from, publication, atMs)
    if (!mayPass) return
    traffic.send(SPENT.control, node, node, IHAVE_PEERS * IHAVE_BEATS * COSTS.ihaveBytes)
    // What is not for a node is what it sends itself.
    this.#arrivals.push(atMs + this.#waitMs(node), from, -1 - node)
  }

  #forward(node: number, from: number, publication: Publication, sentMs: number): void {
    const { overlay } = this.#needs
    for (const peer of overlay.mesh[node] ?? []) {
      if (peer === from || peer === publication.owner) continue
      // It said so in time (IDONTWANT).
      if (this.#stamp[peer] === this.#number) {
        const saidMs = (this.#arrivedMs[peer] ?? 0) + overlay.oneWayMs(peer, node)
        if (saidMs < sentMs) continue
      }
      this.#send(node, peer, publication.bytes, sentMs)
    }
  }

  /** Until others had time to say that they have it: the longer, the more of all are direct peers (see gossip.ts). */
  #waitMs(node: number): number {
    const { overlay, random } = this.#needs
    const share = (overlay.links[node]?.length ?? 0) / Math.max(1, overlay.everybody.size - 1)
    return Math.min(1, share) * (FORWARD_AFTER_MS + random() * FORWARD_SPREAD_MS)
  }

  #passesOn(node: number, from: number, { owner, kind, bytes, isWithdrawal }: Publication, atMs: number): boolean {
    const { budgets, hasBudgets, holds, hasRoom, peerId, setNow } = this.#needs
    if (!hasBudgets) return hasRoom(node, owner)
    const isHeld = isWithdrawal && holds(node, owner)
    setNow(atMs)
    const found = isWithdrawal ? (isHeld ? 'withdrawal' : 'nothing') : kind
    return budgets[node]?.passesOn({ sizeBytes: bytes, from: peerId(from), owner: peerId(owner), kind: found }) ?? true
  }

  #send(from: number, to: number, bytes: number, atMs: number): void {
    const { overlay, traffic } = this.#needs
    traffic.send(SPENT.rows, from, to, bytes + COSTS.gossipFrameBytes)
    if (this.#stamp[to] === this.#number) return
    this.#arrivals.push(atMs + overlay.oneWayMs(from, to), from, to)
  }
}
