import { z } from 'zod'
import type { ServedModel } from '#shared/contract/sharing/engine.js'
import { AppError } from '#shared/errors.js'
import type { Lease } from './served-model.js'

/** Words that no cache knows: each measurement begins with others. */
const PROMPT_WORDS = 350
const ANSWER_TOKENS = 64
/** All of it takes a minute at most: a machine that is slower than that is told by what it managed until then. */
const LIMIT_MS = 55_000

const TimingsSchema = z.object({
  timings: z.object({
    prompt_n: z.number(),
    prompt_ms: z.number(),
    predicted_n: z.number(),
    predicted_ms: z.number(),
  }),
})

/** Asks a model for an answer to a prompt it has not read, and tells how fast it read and wrote. */
export async function measureModel(
  lease: Lease,
  model: string,
  nowMs: number,
): Promise<NonNullable<ServedModel['measured']>> {
  const words = Array.from({ length: PROMPT_WORDS }, (_, index) => `${(nowMs + index * 7919) % 9973}`).join(' ')
  const body = {
    ...{ model, max_tokens: ANSWER_TOKENS, temperature: 0 },
    messages: [{ role: 'user', content: `${words}\nTell a long story about these numbers.` }],
  }
  const response = await fetch(`http://127.0.0.1:${lease.port}/v1/chat/completions`, {
    ...{ method: 'POST', body: JSON.stringify(body), signal: AbortSignal.timeout(LIMIT_MS) },
    headers: { authorization: `Bearer ${lease.token}`, 'content-type': 'application/json' },
  }).catch((cause: unknown) => {
    throw new AppError('upstream_timeout', 'This model took longer than a minute.', { cause })
  })
  const read = TimingsSchema.safeParse(await response.json())
  if (!read.success) throw new AppError('upstream_failed', 'The model did not answer the measurement.')
  const { prompt_n: promptTokens, prompt_ms: promptMs, predicted_n: tokens, predicted_ms: ms } = read.data.timings
  return {
    tokensPerS: tokens <= 1 ? 0 : round((tokens * 1000) / Math.max(1, ms)),
    promptMsPer1000: round((promptMs * 1000) / Math.max(1, promptTokens)),
    atMs: nowMs,
  }
}

const round = (value: number): number => Math.round(value * 10) / 10
