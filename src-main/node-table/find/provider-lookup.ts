/** The other keys are asked once the first has found nothing for this long: a request waits for it. */
const FIRST_KEY_ALONE_MS = 500
/** Peers that the lookup of one key may name: liars at one leave room for what the others find. */
const OF_ONE_KEY = 32

type Found = IteratorResult<string, unknown>

/** The lookup of one key, as far as it has come. */
interface KeyLookup {
  peers: AsyncIterator<string>
  named: number
  /** What it finds next; undefined once it has ended, or named as many as it may. */
  next: Promise<{ of: KeyLookup; found: Found }> | undefined
}

/**
 * What the lookups of several keys find, as one: those of the first key alone for a moment, then those of all in turn.
 * Lookups do not reject, and end by a signal that they were given.
 */
export async function* lookUpKeys(lookups: readonly (() => AsyncIterator<string>)[]): AsyncGenerator<string> {
  const [first, ...others] = lookups.map((lookUp) => () => begin(lookUp()))
  if (first === undefined) return
  const running = [first()]
  const wasAloneLong = new Promise<undefined>((resolve) => {
    setTimeout(resolve, FIRST_KEY_ALONE_MS, undefined).unref()
  })
  for (;;) {
    const waits = running.toSorted((a, b) => a.named - b.named).flatMap(({ next }) => next ?? [])
    const areOthersLeft = others.length > 0
    if (waits.length === 0 && !areOthersLeft) return
    const settled =
      waits.length === 0 ? undefined : await Promise.race(areOthersLeft ? [...waits, wasAloneLong] : waits)
    if (settled === undefined) {
      running.push(...others.splice(0).map((other) => other()))
      continue
    }
    const { of: lookup, found } = settled
    if (found.done === true) lookup.next = undefined
    else {
      lookup.named += 1
      proceed(lookup)
      yield found.value
    }
  }
}

function begin(peers: AsyncIterator<string>): KeyLookup {
  const lookup: KeyLookup = { peers, named: 0, next: undefined }
  proceed(lookup)
  return lookup
}

function proceed(lookup: KeyLookup): void {
  lookup.next = lookup.named < OF_ONE_KEY ? lookup.peers.next().then((found) => ({ of: lookup, found })) : undefined
}
