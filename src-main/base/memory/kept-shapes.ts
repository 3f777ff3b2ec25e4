/** How long after the last request its objects are kept. */
const KEEP_MS = 60_000

/** Nothing is held longer than it is needed of a request with a larger body. */
const MAX_BYTES = 64 * 1024

/** What a request is made of, in its order: an object is kept in place of the last one of its part. */
type RequestPart = 'attempt' | 'exchange of an app' | 'exchange of a peer'

const kept = new Map<RequestPart, object>()
let newestAt = 0
let timer: NodeJS.Timeout | undefined

/**
 * Keeps this object of a request that is over until the next one is, two minutes at most, so that V8 keeps what it knows of
 * its kind. When V8 collects the whole heap it drops the layout ("map") of which no object is left, and with it all
 * machine code that goes by that layout. A node collects while it rests, when there is no request: the first ones
 * afterwards took nearly twice as much of a processor (docs/performance.md). `bytes`: of its body, which may hang on it.
 */
export function keepShape(part: RequestPart, object: object, bytes: number): void {
  if (bytes > MAX_BYTES) return
  kept.set(part, object)
  newestAt = performance.now()
  timer ??= setInterval(dropOld, KEEP_MS).unref()
}

function dropOld(): void {
  if (performance.now() - newestAt < KEEP_MS) return
  kept.clear()
  clearInterval(timer)
  timer = undefined
}
