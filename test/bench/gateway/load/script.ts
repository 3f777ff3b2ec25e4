import { Agent, request } from 'node:http'
import type { LoadResult } from './echo.ts'

/** A fixed number of requests after some that do not count, as the benchmark script of the Go implementation has it. */
export interface ScriptLoad {
  url: string
  requests: number
  warmUps: number
  concurrency: number
}

const body = JSON.stringify({ model: 'echo', message: 'Hello, this is a benchmark message.', timestamp: 0 })

/** With Node's own client and its agent: what an ordinary program sees. */
export async function script({ url, requests, warmUps, concurrency }: ScriptLoad): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency })
  const post = (): Promise<boolean> =>
    new Promise((resolve) => {
      const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }
      const sent = request(url, { method: 'POST', agent, headers }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('error', () => resolve(false))
        response.on('end', () => resolve(response.statusCode === 200 && Buffer.concat(chunks).toString() === body))
      })
      sent.on('error', () => resolve(false))
      sent.end(body)
    })

  async function all(count: number): Promise<LoadResult> {
    const latenciesMs: number[] = []
    let failed = 0
    let left = count
    const startedAt = performance.now()
    const worker = async (): Promise<void> => {
      while (left > 0) {
        left -= 1
        const at = performance.now()
        if (await post()) latenciesMs.push(performance.now() - at)
        else failed += 1
      }
    }
    await Promise.all(Array.from({ length: concurrency }, worker))
    return { latenciesMs, failed, elapsedMs: performance.now() - startedAt }
  }

  await all(warmUps)
  const result = await all(requests)
  agent.destroy()
  return result
}
