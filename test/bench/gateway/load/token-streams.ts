import { Pool } from 'undici'
import { readTokens } from './read-tokens.ts'

/** Streams that begin together and run to their end. */
export interface TokenStreams {
  url: string
  streams: number
  tokens: number
  everyMs: number
}

export interface TokenStreamsResult {
  /** How long each token was on its way from the server to this client, ms. */
  delaysMs: number[]
  /** From each request to the end of its answer, ms. */
  totalsMs: number[]
  /** From each request to its first token, ms. */
  firstsMs: number[]
  failed: number
}

export async function streamTokens({ url, streams, tokens, everyMs }: TokenStreams): Promise<TokenStreamsResult> {
  const { origin, pathname } = new URL(url)
  const pool = new Pool(origin, { connections: streams, pipelining: 1 })
  const delaysMs: number[] = []
  const totalsMs: number[] = []
  const firstsMs: number[] = []
  let failed = 0
  const one = async (count: number, record: boolean): Promise<void> => {
    const at = performance.now()
    let isFirst = record
    const seen = await readTokens(pool, pathname, { model: 'echo', tokens: count, everyMs }, (delayMs) => {
      if (record) delaysMs.push(delayMs)
      if (isFirst) firstsMs.push(performance.now() - at)
      isFirst = false
    })
    if (record) totalsMs.push(performance.now() - at)
    if (!seen.done || seen.tokens !== count) failed += 1
  }
  const all = (count: number, record: boolean) => Promise.all(Array.from({ length: streams }, () => one(count, record)))
  // The connections and the streams to the peer are open then, as they are in an app that chats.
  await all(2, false)
  await all(tokens, true)
  await pool.destroy()
  return { delaysMs, totalsMs, firstsMs, failed }
}
