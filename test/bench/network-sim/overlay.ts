import { betweenMs } from './internet.js'
import { REACH, type Population } from './population.js'

/** As `TARGET_PEERS` and gossipsub's D, Dlo and Dhi are set in src-main. */
const TARGET_PEERS = 20
const MESH = { wanted: 6, least: 4, most: 12 }
/** Connections a node takes at most (`CONNECTION_ROOM`). */
const MAX_LINKS = 2_000

/** Who is on, and who is connected with whom: connections that stay, and of these gossip's mesh. */
export class Overlay {
  readonly online: Uint8Array
  readonly links: (number[] | undefined)[]
  readonly mesh: (number[] | undefined)[]
  /** Nodes that are on and can be dialled; these are the DHT's servers as well. */
  readonly diallable = new NumberSet()
  readonly everybody = new NumberSet()
  readonly #population: Population
  readonly #random: () => number
  readonly #onLink: (from: number, to: number) => void
  #isApart: ((a: number, b: number) => boolean) | undefined

  constructor(population: Population, random: () => number, onLink: (from: number, to: number) => void) {
    this.#population = population
    this.#random = random
    this.#onLink = onLink
    this.online = new Uint8Array(population.size)
    this.links = new Array<number[] | undefined>(population.size)
    this.mesh = new Array<number[] | undefined>(population.size)
  }

  join(node: number): void {
    this.online[node] = 1
    this.links[node] = []
    this.mesh[node] = []
    this.everybody.add(node)
    if ((this.#population.reach[node] ?? 0) <= REACH.diallable) this.diallable.add(node)
  }

  /** Goes, without a word. Returns who was connected. */
  leave(node: number): readonly number[] {
    const left = this.links[node] ?? []
    this.online[node] = 0
    this.everybody.delete(node)
    this.diallable.delete(node)
    for (const other of left) {
      remove(this.links[other], node)
      remove(this.mesh[other], node)
    }
    this.links[node] = undefined
    this.mesh[node] = undefined
    return left
  }

  /** Dials until there are as many connections as a node looks for. */
  fill(node: number): void {
    const mine = this.links[node]
    if (mine === undefined) return
    const wanted = Math.min(TARGET_PEERS, this.everybody.size - 1)
    for (let tries = 0; mine.length < wanted && tries < 2 * TARGET_PEERS; tries += 1) {
      const other = this.diallable.draw(this.#random) ?? node
      if (other === node || mine.includes(other)) continue
      this.link(node, other)
    }
    this.#graft(node)
  }

  link(from: number, to: number): void {
    const theirs = this.links[to]
    if (theirs === undefined || theirs.length >= MAX_LINKS || this.#isApart?.(from, to) === true) return
    this.links[from]?.push(to)
    theirs.push(from)
    if ((this.mesh[from]?.length ?? MESH.wanted) < MESH.wanted) this.#addToMesh(from, to)
    this.#onLink(from, to)
  }

  /** Takes others into the mesh where it has too few. */
  #graft(node: number): void {
    const mesh = this.mesh[node]
    const links = this.links[node] ?? []
    if (mesh === undefined || mesh.length >= MESH.least) return
    for (let tries = 0; mesh.length < MESH.wanted && tries < 3 * MESH.wanted && links.length > 0; tries += 1) {
      this.#addToMesh(node, links[Math.floor(this.#random() * links.length)] ?? node)
    }
  }

  /** Somebody's connection has ended: the mesh, and in the end the connections, are made up for. */
  mend(node: number): void {
    if ((this.links[node]?.length ?? TARGET_PEERS) < TARGET_PEERS) this.fill(node)
    else this.#graft(node)
  }

  /** Nodes that are apart lose each other, and do not meet while they are. Returns those that lost somebody. */
  split(isApart: ((a: number, b: number) => boolean) | undefined): number[] {
    this.#isApart = isApart
    if (isApart === undefined) return []
    return this.everybody.list.filter((node) => {
      const links = this.links[node] ?? []
      const left = links.filter((other) => !isApart(node, other))
      this.links[node] = left
      this.mesh[node] = (this.mesh[node] ?? []).filter((other) => !isApart(node, other))
      return left.length < links.length
    })
  }

  /** Half a round trip, in ms. */
  oneWayMs(a: number, b: number): number {
    const { region, mileMs, oneMachineMs } = this.#population
    if (oneMachineMs !== undefined) return oneMachineMs
    return (betweenMs(region[a] ?? 0, region[b] ?? 0) + (mileMs[a] ?? 0) + (mileMs[b] ?? 0)) / 2
  }

  #addToMesh(a: number, b: number): void {
    const [mine, theirs] = [this.mesh[a], this.mesh[b]]
    if (a === b || mine === undefined || theirs === undefined || mine.includes(b)) return
    if (theirs.length >= MESH.most) return
    mine.push(b)
    theirs.push(a)
  }
}

/** A set of numbers of which one can be drawn. */
class NumberSet {
  readonly list: number[] = []
  readonly #at = new Map<number, number>()

  get size(): number {
    return this.list.length
  }

  add(member: number): void {
    if (this.#at.has(member)) return
    this.#at.set(member, this.list.length)
    this.list.push(member)
  }

  delete(member: number): void {
    const at = this.#at.get(member)
    const last = this.list.at(-1)
    if (at === undefined || last === undefined) return
    this.list[at] = last
    this.#at.set(last, at)
    this.list.pop()
    this.#at.delete(member)
  }

  draw(random: () => number): number | undefined {
    return this.list[Math.floor(random() * this.list.length)]
  }
}

function remove(list: number[] | undefined, member: number): void {
  const at = list?.indexOf(member) ?? -1
  if (list === undefined || at < 0) return
  list[at] = list.at(-1) ?? member
  list.pop()
}
