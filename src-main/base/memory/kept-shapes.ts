/** How long after the last request its objects are kept. */
const KEEP_MS = 60_000

/** Requests with a larger body are not kept. */
const MAX_BYTES = 64 * 1024

/** Which part of a request an object is; of each the newest is kept. */
type RequestPart = 'attempt' | 'exchange of an app' | 'exchange of a peer'

const kept = new Map<RequestPart, object>()
let newestAt = 0
let timer: NodeJS.Timeout | undefined

/**
 * Keeps an object of a finished request until the next request ends, two minutes at most. V8 drops an object layout ("map")
 * when a collection of the whole heap finds no object that has it, and with it all machine code compiled for it. That
 * happens while a node rests, and the first requests afterwards took nearly twice as much of a processor
 * (docs/performance.md). `bytes` is the size of the request's body, which the object may refer to.
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
