import { Agent, fetch, type Response } from 'undici'
import { z } from 'zod'
import type { ModelTest } from '#shared/contract/models/model-test.js'
import { AppError } from '#shared/errors.js'

/** Loading a large model from disk may take this long. */
const TEST_MS = 180_000
/** One token is a few bytes; a server that does not keep to it is cut. */
const MAX_ANSWER_BYTES = 256 * 1024
const MAX_TEXT = 200

const ErrorSchema = z.object({ error: z.object({ message: z.string(), code: z.string().nullish() }) })
const ChunkSchema = z.object({
  choices: z.array(
    z.object({
      delta: z.object({ content: z.string().nullish(), reasoning_content: z.string().nullish() }).optional(),
      message: z.object({ content: z.string().nullish() }).optional(),
    }),
  ),
})

/** One real request of one token through the gateway, with the time of each leg; `key` is null where it asks for none. */
export async function testModel(
  gateway: { url: string | null; key: string | null },
  model: string,
  signal?: AbortSignal,
): Promise<ModelTest> {
  if (gateway.url === null) {
    throw new AppError('no_provider', "The node's gateway is not listening yet. Try again in a moment.")
  }
  // undici's own limits of 300 s would not matter here, its connection reuse would: a test of its own goes its own way.
  const dispatcher = new Agent({ headersTimeout: 0, bodyTimeout: 0 })
  const deadline = AbortSignal.timeout(TEST_MS)
  const startedAt = performance.now()
  try {
    const response = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: {
        ...{ 'Content-Type': 'application/json', Accept: 'text/event-stream' },
        ...(gateway.key === null ? {} : { Authorization: `Bearer ${gateway.key}` }),
      },
      body: JSON.stringify({ model, messages: [{ role: 'user', content: 'Hi' }], max_tokens: 1, stream: true }),
      signal: signal === undefined ? deadline : AbortSignal.any([deadline, signal]),
      dispatcher,
    })
    return await read(response, startedAt)
  } catch (error) {
    if (signal?.aborted === true || !(error instanceof Error)) throw error
    const message = deadline.aborted ? 'No answer within three minutes.' : 'The gateway did not answer, or broke off.'
    return {
      ...nothing(startedAt),
      error: { code: deadline.aborted ? 'upstream_timeout' : 'upstream_failed', message },
    }
  } finally {
    await dispatcher.destroy()
  }
}

async function read(response: Response, startedAt: number): Promise<ModelTest> {
  let firstTokenMs: number | null = null
  let body = ''
  const decoder = new TextDecoder()
  // undici's streams carry bytes; its types say any.
  for await (const bytes of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    body += decoder.decode(bytes, { stream: true })
    if (firstTokenMs === null && textIn(body) !== '') firstTokenMs = performance.now() - startedAt
    if (body.length > MAX_ANSWER_BYTES) break
  }
  const error = errorIn(body, response)
  const tries = Number(response.headers.get('x-ocf-tries') ?? Number.NaN)
  return {
    ok: error === null,
    status: response.status,
    error,
    answeredBy: response.headers.get('x-computing-node'),
    tries: Number.isInteger(tries) ? tries : null,
    legs: legsIn(response.headers.get('server-timing') ?? ''),
    firstTokenMs,
    totalMs: performance.now() - startedAt,
    text: textIn(body).slice(0, MAX_TEXT),
  }
}

function nothing(startedAt: number): ModelTest {
  return {
    ...{ ok: false, status: null, error: null, answeredBy: null, tries: null, legs: [], firstTokenMs: null, text: '' },
    totalMs: performance.now() - startedAt,
  }
}

/** `select;dur=0.41, connect;dur=3.10, ttfb;dur=120.00` */
function legsIn(header: string): ModelTest['legs'] {
  return header.split(',').flatMap((part) => {
    const [, name, ms] = /^\s*([\w-]+)\s*;.*?dur=([\d.]+)/.exec(part) ?? []
    return name === undefined ? [] : [{ name, ms: Number(ms) }]
  })
}

function errorIn(body: string, response: Response): ModelTest['error'] {
  for (const part of partsOf(body)) {
    const { error } = ErrorSchema.safeParse(part).data ?? {}
    if (error !== undefined) return { code: error.code ?? `status ${response.status}`, message: error.message }
  }
  return response.ok ? null : { code: `status ${response.status}`, message: 'The gateway refused the request.' }
}

function textIn(body: string): string {
  const texts = partsOf(body).map((part) => {
    const choice = ChunkSchema.safeParse(part).data?.choices[0]
    return choice?.delta?.content ?? choice?.message?.content ?? choice?.delta?.reasoning_content ?? ''
  })
  return texts.join('')
}

/** The JSON values of an event stream, or the one of a plain answer. */
function partsOf(body: string): unknown[] {
  const lines = body.split('\n')
  const events = lines.filter((line) => line.startsWith('data:')).map((line) => line.slice('data:'.length).trim())
  return (events.length > 0 ? events : [body]).flatMap((text) => {
    try {
      return [JSON.parse(text) as unknown]
    } catch {
      return [] // `[DONE]`, or an event of which the rest has not come yet.
    }
  })
}
