import { BoundedMap } from '../../base/bounded-map.js'
import type { MonotonicClock } from '../../base/clock.js'
import { within } from '../../base/within.js'
import type { StatusAsker } from '../status/peer-status.js'
import type { TableView } from '../view/view.js'
import type { ProviderRecords } from './provider-records.js'

/** Where providers are looked up; the setting `table.reader`. */
export type TableReader = 'auto' | 'full' | 'dht'

/** Finds providers that the table may not hold. */
export interface ProviderFinder {
  /** What a lookup that finds nothing does now. */
  reader(): 'full' | 'dht'
  find(service: string, entry: string, known?: KnownProviders): Promise<ReadonlySet<string>>
}

/** What is known of those whom the table has for an entry. */
export interface KnownProviders {
  /** They were asked, and did not answer. */
  areAway: boolean
  /** Peers that had the request and failed it: others are looked for, and waited for. */
  failed?: ReadonlySet<string>
}

/**
 * Live rows from which on a lookup that finds nothing also asks the DHT. In a network of partial tables some nodes hear
 * so little that theirs looks whole; a small network, whose tables are, answers at once that nobody offers a model.
 */
const FULL_REPLICA_ROWS = 128
/** In a network of 100,000 three hops to a key, each dialled anew, and a provider behind a relay take longer than 5 s. */
const FIND_WITHIN_MS = 10_000
/** Questions to peers at a time, and in all: identities near a key must not hide those who do offer it. */
const MAX_AT_ONCE = 16
const MAX_ASKED = 128
/** A peer that has not answered after this long holds up no other question; its own goes on. */
const PATIENCE_MS = 500
/** Providers with a row at which a lookup ends: more than one, as the first to show a row may do nothing else. */
const ENOUGH_PROVIDERS = 3
/** From its start: twice as long as the longest lookup. */
const REMEMBER_MS = 20_000
const MAX_REMEMBERED = 256

/** A finder that asks the DHT, and the peers it names for their rows. */
export function createProviderFinder(
  needs: {
    view: TableView
    records: Pick<ProviderRecords, 'find'>
    asker: Pick<StatusAsker, 'refreshWithRow'>
    monotonic: MonotonicClock
    /** Whether the table holds only a part of the network; absent: no. */
    isPartial?: () => boolean
  },
  options: { selfId: string; reader: TableReader; fullReplicaRows?: number },
): ProviderFinder {
  const { view, records, asker, monotonic, isPartial = () => false } = needs
  const { fullReplicaRows = FULL_REPLICA_ROWS } = options
  const searches = new BoundedMap<string, Search>(MAX_REMEMBERED)

  function reader(): 'full' | 'dht' {
    if (options.reader !== 'auto') return options.reader
    return isPartial() || view.size >= fullReplicaRows || view.isFull ? 'dht' : 'full'
  }

  async function run(service: string, entry: string, search: Search): Promise<void> {
    const signal = AbortSignal.any([search.enough, AbortSignal.timeout(FIND_WITHIN_MS)])
    const over = aborted(signal)
    const asked = new Set<string>([options.selfId])
    const questions = new Set<Promise<void>>()
    const slots = new Set<Promise<void>>()
    for await (const peerId of records.find(service, entry, signal)) {
      if (asked.has(peerId)) continue
      asked.add(peerId)
      const question = asker.refreshWithRow(peerId).then(({ kind }) => {
        questions.delete(question)
        const isThere = kind === 'answered' || kind === 'unsupported'
        if (isThere && view.offers.providers(service, entry).has(peerId)) search.found(peerId)
      })
      questions.add(question)
      const slot = within(question, PATIENCE_MS, () => undefined).finally(() => slots.delete(slot))
      slots.add(slot)
      if (slots.size >= MAX_AT_ONCE) await Promise.race([...slots, over])
      if (signal.aborted || asked.size > MAX_ASKED) break
    }
    await Promise.race([Promise.all(questions), over])
  }

  /** The one that runs for that entry, or ran a moment ago; else a new one. */
  function searchFor(service: string, entry: string): Search {
    const name = `${service}\n${entry}`
    const now = monotonic.elapsedMs()
    const before = searches.peek(name)
    if (before !== undefined && now - before.beganAtMs < REMEMBER_MS) return before
    const search = new Search(now)
    const end = (): void => search.end()
    run(service, entry, search).then(end, end)
    searches.set(name, search)
    return search
  }

  return {
    reader,
    async find(service, entry, { areAway, failed = NOBODY } = { areAway: false }) {
      const isMissing = areAway || failed.size > 0 || view.offers.providers(service, entry).size === 0
      if (isMissing && reader() === 'dht') await searchFor(service, entry).nextBut(failed)
      return view.offers.providers(service, entry)
    },
  }
}

const NOBODY: ReadonlySet<string> = new Set()

/** Somebody who waits for a provider that is not one of those. */
interface Waiting {
  failed: ReadonlySet<string>
  resolve: () => void
}

/** One lookup of an entry's providers. Requests wait for the first one that has shown its row, or for the next. */
class Search {
  readonly beganAtMs: number
  readonly #enough = new AbortController()
  readonly #shown = new Set<string>()
  readonly #waiting = new Set<Waiting>()
  /** Providers at which it ends: those that have failed a request are none. */
  #wanted = ENOUGH_PROVIDERS
  #isOver = false

  constructor(beganAtMs: number) {
    this.beganAtMs = beganAtMs
  }

  /** Aborted once enough have been found. */
  get enough(): AbortSignal {
    return this.#enough.signal
  }

  /** Resolves once a provider that is not one of those has shown its row, or the lookup is over. */
  nextBut(failed: ReadonlySet<string>): Promise<void> {
    const left = [...this.#shown].filter((peerId) => !failed.has(peerId)).length
    this.#wanted = Math.max(this.#wanted, ENOUGH_PROVIDERS + this.#shown.size - left)
    if (this.#isOver || left > 0) return Promise.resolve()
    return new Promise((resolve) => void this.#waiting.add({ failed, resolve }))
  }

  found(peerId: string): void {
    this.#shown.add(peerId)
    for (const waiting of this.#waiting) if (!waiting.failed.has(peerId)) this.#release(waiting)
    if (this.#shown.size >= this.#wanted) this.#enough.abort()
  }

  end(): void {
    this.#isOver = true
    for (const waiting of this.#waiting) this.#release(waiting)
  }

  #release(waiting: Waiting): void {
    this.#waiting.delete(waiting)
    waiting.resolve()
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}
