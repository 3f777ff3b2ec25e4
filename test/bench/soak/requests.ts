import { setTimeout as pause } from 'node:timers/promises'

/** What became of the requests of a soak. */
export interface RequestCounts {
  answered: number
  failed: number
}

const TOKENS = 20
const TOKEN_EVERY_MS = 10
const TIMEOUT_MS = 30_000

/** Asks one gateway after the other for a streamed answer, one every `everyMs`, until `signal` aborts. */
export async function keepAsking(
  gateways: readonly string[],
  counts: RequestCounts,
  { everyMs, signal }: { everyMs: number; signal: AbortSignal },
): Promise<void> {
  for (let turn = 0; await isStillOn(everyMs, signal); turn += 1) {
    if (await isAnswered(gateways[turn % gateways.length] ?? '')) counts.answered += 1
    else counts.failed += 1
  }
}

/** Waits; false when `signal` has aborted meanwhile. */
async function isStillOn(ms: number, signal: AbortSignal): Promise<boolean> {
  await pause(ms, undefined, { signal }).catch(() => undefined)
  return !signal.aborted
}

/** False for an answer that broke off as well: its provider may have been killed. */
async function isAnswered(gateway: string): Promise<boolean> {
  try {
    const response = await fetch(`${gateway}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ model: 'echo', stream: true, messages: [], tokens: TOKENS, everyMs: TOKEN_EVERY_MS }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    })
    const text = await response.text()
    return response.ok && text.includes('[DONE]')
  } catch {
    return false
  }
}
