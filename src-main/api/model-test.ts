import { Agent, fetch, type Response } from 'undici'
import { type ChatPiece, isEventStream, readChat, readChatEvent, ServerEvents } from '#shared/chat-events.js'
import type { ModelTest } from '#shared/contract/models/model-test.js'
import { AppError } from '#shared/errors.js'

/** Loading a large model from disk may take this long. */
const TEST_MS = 180_000
/** One token is a few bytes; a server that does not keep to it is cut. */
const MAX_ANSWER_BYTES = 256 * 1024
const MAX_TEXT = 200

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
  let text = ''
  let isWhole = false
  let error: ModelTest['error'] = null
  for await (const piece of piecesOf(response)) {
    error ??= piece?.error ?? null
    if (piece === undefined || error !== null) break
    if (firstTokenMs === null && piece.text + piece.reasoning !== '') firstTokenMs = performance.now() - startedAt
    text += piece.text === '' ? piece.reasoning : piece.text
    isWhole ||= piece.isEnd
    if (piece.isLast) break
  }
  error ??= faultOf(response, { isWhole, hasToken: firstTokenMs !== null })
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
    text: text.slice(0, MAX_TEXT),
  }
}

function faultOf(
  response: Response,
  { isWhole, hasToken }: { isWhole: boolean; hasToken: boolean },
): ModelTest['error'] {
  const code = `status ${response.status}`
  if (!response.ok) return { code, message: 'The gateway refused the request.' }
  if (!isWhole) return { code: 'upstream_failed', message: 'The answer broke off before its end.' }
  return hasToken ? null : { code, message: 'The answer is empty: not one token came.' }
}

/** What an answer says, as it comes; undefined for what is cut off. */
async function* piecesOf(response: Response): AsyncGenerator<ChatPiece | undefined> {
  const isStream = isEventStream(response.headers.get('content-type'))
  const events = new ServerEvents()
  const decoder = new TextDecoder()
  let body = ''
  let length = 0
  // undici's streams carry bytes; its types say any.
  for await (const bytes of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    const text = decoder.decode(bytes, { stream: true })
    length += text.length
    if (length > MAX_ANSWER_BYTES) return
    if (!isStream) body += text
    else for (const event of events.push(text)) yield readChatEvent(event)
  }
  if (isStream) for (const event of events.end()) yield readChatEvent(event)
  else yield readWhole(body)
}

function readWhole(body: string): ChatPiece | undefined {
  try {
    return { ...readChat(JSON.parse(body)), isEnd: true, isLast: true }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined // A proxy's page, say.
    throw error
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
