import type { Pool } from 'undici'
import { machineMs } from '../machine-clock.ts'
import type { Ask } from '../model-server.ts'

/** What one stream of tokens was seen to do. */
export interface SeenTokens {
  tokens: number
  /** True when it ended as it should, with `[DONE]`. */
  done: boolean
  error?: string
}

/** Asks for a stream of tokens; `onToken` hears how long each was on its way, ms. Never rejects. */
export function readTokens(
  pool: Pool,
  path: string,
  ask: Ask,
  onToken: (delayMs: number) => void,
): Promise<SeenTokens> {
  const seen: SeenTokens = { tokens: 0, done: false }
  let rest = ''
  const read = (chunk: Buffer): void => {
    const now = machineMs()
    const lines = (rest + chunk.toString('latin1')).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) {
      const at = line.lastIndexOf('"sentAt":')
      if (at >= 0) {
        seen.tokens += 1
        onToken(now - Number.parseFloat(line.slice(at + '"sentAt":'.length)))
      } else if (line === 'data: [DONE]') seen.done = true
    }
  }
  return new Promise((resolve) => {
    const body = JSON.stringify({ ...ask, stream: true, messages: [{ role: 'user', content: 'count' }] })
    const headers = { 'content-type': 'application/json' }
    pool.dispatch(
      { path, method: 'POST', headers, body, headersTimeout: 0, bodyTimeout: 0 },
      {
        // undici knows a handler of this kind by it.
        onRequestStart: () => undefined,
        onResponseStart: (_controller, status) => {
          if (status !== 200) seen.error = `status ${status}`
        },
        onResponseData: (_controller, chunk) => read(chunk),
        onResponseEnd: () => resolve(seen),
        onResponseError: (_controller, error) => resolve({ ...seen, error: error.message }),
      },
    )
  })
}
