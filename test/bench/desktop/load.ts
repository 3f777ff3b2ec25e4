import { Pool } from 'undici'

/** This many requests at a time against one URL. */
export interface Work {
  url: string
  concurrency: number
  durationMs: number
}

/** What came of it. */
export interface Worked {
  answered: number
  failed: number
  elapsedMs: number
}

const body = JSON.stringify({ model: 'echo', message: 'the quick brown fox jumps over the lazy dog', stream: true })

async function run({ url, concurrency, durationMs }: Work): Promise<Worked> {
  const { origin, pathname } = new URL(url)
  const pool = new Pool(origin, { connections: concurrency, pipelining: 1 })
  const startedAt = performance.now()
  const until = startedAt + durationMs
  let answered = 0
  let failed = 0
  async function worker(): Promise<void> {
    while (performance.now() < until) {
      try {
        const request = {
          path: pathname,
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body,
        } as const
        const response = await pool.request(request)
        await response.body.dump({ limit: 1_000_000 })
        if (response.statusCode === 200) answered += 1
        else failed += 1
      } catch {
        failed += 1 // counted and reported; the bench says so
      }
    }
  }
  await Promise.all(Array.from({ length: concurrency }, worker))
  const elapsedMs = performance.now() - startedAt
  await pool.destroy()
  return { answered, failed, elapsedMs }
}

process.on('message', (work: Work) => {
  void run(work).then((result) => process.send?.(result))
})
process.send?.('ready')
