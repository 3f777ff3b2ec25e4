import { Pool } from 'undici'

/** This many requests at a time against one URL, for this long or so many in all, with the quickest client there is. */
export interface EchoLoad {
  url: string
  concurrency: number
  durationMs?: number
  requests?: number
}

/** Milliseconds of each answered request, and how many failed. */
export interface LoadResult {
  latenciesMs: number[]
  failed: number
  elapsedMs: number
}

const body = JSON.stringify({ model: 'echo', message: 'the quick brown fox jumps over the lazy dog', timestamp: 0 })

/** Bytes of the body, the same there and back. */
export const ECHO_BYTES = Buffer.byteLength(body)

export async function echo({
  url,
  concurrency,
  durationMs = Infinity,
  requests = Infinity,
}: EchoLoad): Promise<LoadResult> {
  const { origin, pathname } = new URL(url)
  const pool = new Pool(origin, { connections: concurrency, pipelining: 1 })
  const latenciesMs: number[] = []
  let failed = 0
  let left = requests
  const startedAt = performance.now()
  const until = startedAt + durationMs

  async function worker(): Promise<void> {
    while (performance.now() < until && left > 0) {
      left -= 1
      const at = performance.now()
      try {
        const headers = { 'content-type': 'application/json' }
        const response = await pool.request({ path: pathname, method: 'POST', headers, body })
        const text = await response.body.text()
        if (response.statusCode === 200 && text === body) latenciesMs.push(performance.now() - at)
        else failed += 1
      } catch {
        failed += 1 // counted and reported; the bench says so
      }
    }
  }

  await Promise.all(Array.from({ length: concurrency }, worker))
  const elapsedMs = performance.now() - startedAt
  await pool.destroy()
  return { latenciesMs, failed, elapsedMs }
}
