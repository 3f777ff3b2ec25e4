/** What bytes are spent on. */
export const PROTOCOLS = [
  'rows',
  'gossip control',
  'syncs',
  'DHT',
  'new connections',
  'keep-alive',
  'statuses',
] as const
/** Their numbers: of the simulator's time, most is spent on counting. */
export const SPENT = { rows: 0, control: 1, syncs: 2, dht: 3, dials: 4, keepAlive: 5, statuses: 6 } as const
type Protocol = (typeof SPENT)[keyof typeof SPENT]

/** Bytes each node sent and got, by protocol, since {@link Traffic.reset}. */
export class Traffic {
  readonly #sent: readonly Float64Array[]
  readonly #got: readonly Float64Array[]

  constructor(nodes: number) {
    this.#sent = PROTOCOLS.map(() => new Float64Array(nodes))
    this.#got = PROTOCOLS.map(() => new Float64Array(nodes))
  }

  /** One node sends another bytes. */
  send(protocol: Protocol, from: number, to: number, bytes: number): void {
    add(this.#sent[protocol], from, bytes)
    add(this.#got[protocol], to, bytes)
  }

  /** Both send each other that much. */
  both(protocol: Protocol, a: number, b: number, bytes: number): void {
    this.send(protocol, a, b, bytes)
    this.send(protocol, b, a, bytes)
  }

  sentBy(node: number, protocol: Protocol): number {
    return this.#sent[protocol]?.[node] ?? 0
  }

  /** What a node sent, or got where that is more. */
  of(node: number): number {
    const total = (parts: readonly Float64Array[]): number => parts.reduce((sum, part) => sum + (part[node] ?? 0), 0)
    return Math.max(total(this.#sent), total(this.#got))
  }

  reset(): void {
    for (const part of [...this.#sent, ...this.#got]) part.fill(0)
  }
}

function add(array: Float64Array | undefined, index: number, bytes: number): void {
  if (array !== undefined) array[index] = (array[index] ?? 0) + bytes
}
