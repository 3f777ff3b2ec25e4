import { Pool } from 'undici'
import { readTokens } from './read-tokens.ts'

/** Streams that are all open at the same time for a while. */
export interface HeldStreams {
  url: string
  streams: number
  tokens: number
  everyMs: number
}

export interface HeldStreamsResult {
  failed: number
  /** The first few reasons. */
  errors: string[]
  tokens: number
}

/** Streams opened at once; more would be refused by the backlog of a listening socket and not by what is measured. */
const OPENED_AT_ONCE = 100
const PAUSE_MS = 50

export async function holdStreams({ url, streams, tokens, everyMs }: HeldStreams): Promise<HeldStreamsResult> {
  const { origin, pathname } = new URL(url)
  const pool = new Pool(origin, { connections: streams, pipelining: 1 })
  const result: HeldStreamsResult = { failed: 0, errors: [], tokens: 0 }
  const one = async (index: number): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, Math.floor(index / OPENED_AT_ONCE) * PAUSE_MS))
    const seen = await readTokens(pool, pathname, { model: 'echo', tokens, everyMs }, () => (result.tokens += 1))
    if (seen.done && seen.tokens === tokens) return
    result.failed += 1
    if (result.errors.length < 5) result.errors.push(seen.error ?? `${seen.tokens} of ${tokens} tokens came`)
  }
  await Promise.all(Array.from({ length: streams }, (_, index) => one(index)))
  await pool.destroy()
  return result
}
