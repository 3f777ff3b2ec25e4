import { AppError, fromWireError, type WireError } from '#shared/errors.js'
import { strings } from '../../../strings.js'
import { readServerEvents } from './read-sse.js'

const { chat: words } = strings.models

/** One message of a conversation. */
export interface ChatMessage {
  role: 'user' | 'assistant'
  content: string
}

/** What is to be asked, and of whom. */
export interface Question {
  /** With `/v1`. */
  baseUrl: string
  model: string
  messages: readonly ChatMessage[]
  /** This page's own key of the gateway; null where it asks for none. */
  key: string | null
  /** `X-Ocf-…` headers that choose among providers. */
  headers: Readonly<Record<string, string>>
}

/** What is known of an answer; more as it comes. */
export interface Answer {
  text: string
  /** Peer id of who answers. */
  servedBy: string | null
  tries: number | null
  /** Milliseconds from asking to the first piece. */
  ttftMs: number | null
  /** Milliseconds from the first piece to the last. */
  streamedMs: number
  tokens: number
  /** False while `tokens` only counts pieces. */
  exactTokens: boolean
}

interface Chunk {
  choices?: { delta?: { content?: string | null; reasoning_content?: string | null } }[]
  usage?: { completion_tokens?: number } | null
  error?: unknown
}

/**
 * Asks through the gateway and tells the answer as it grows. Resolves when it is whole; rejects with an `AppError` when
 * it is not, and with the signal's reason when it was stopped.
 */
export async function ask(question: Question, onAnswer: (answer: Answer) => void, signal: AbortSignal): Promise<void> {
  const startedAt = performance.now()
  const response = await post(question, signal)
  if (!response.ok || response.body === null) throw await refusal(response)
  let answer: Answer = {
    text: '',
    servedBy: response.headers.get('X-Computing-Node'),
    tries: Number(response.headers.get('X-Ocf-Tries')) || null,
    ttftMs: null,
    streamedMs: 0,
    tokens: 0,
    exactTokens: false,
  }
  onAnswer(answer)
  let isWhole = false
  for await (const { event, data } of readServerEvents(response.body)) {
    if (data === '[DONE]') {
      isWhole = true
      break
    }
    const chunk = parseChunk(data)
    if (event === 'error' || chunk.error !== undefined) throw brokenOff(chunk)
    const next = grown(answer, chunk, performance.now() - startedAt)
    if (next === answer) continue
    answer = next
    onAnswer(answer)
  }
  if (!isWhole) throw new AppError('upstream_failed', words.cut)
}

/** An answer after one more piece of it. */
function grown(answer: Answer, chunk: Chunk, elapsedMs: number): Answer {
  const delta = chunk.choices?.[0]?.delta
  const piece = delta?.content ?? ''
  const isPiece = piece !== '' || (delta?.reasoning_content ?? '') !== ''
  const exact = chunk.usage?.completion_tokens
  if (!isPiece && exact === undefined) return answer
  const ttftMs = answer.ttftMs ?? (isPiece ? elapsedMs : null)
  return {
    ...answer,
    text: answer.text + piece,
    ttftMs,
    streamedMs: isPiece && ttftMs !== null ? elapsedMs - ttftMs : answer.streamedMs,
    tokens: exact ?? (answer.exactTokens ? answer.tokens : answer.tokens + 1),
    exactTokens: answer.exactTokens || exact !== undefined,
  }
}

async function post({ baseUrl, model, messages, headers, key }: Question, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(`${baseUrl}/chat/completions`, {
      method: 'POST',
      headers: {
        ...{ 'Content-Type': 'application/json', ...headers },
        ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify({ model, messages, stream: true, stream_options: { include_usage: true } }),
      credentials: 'omit',
      cache: 'no-store',
      signal,
    })
  } catch (error) {
    if (signal.aborted) throw error
    throw new AppError('node_not_running', words.unreachable, { cause: error })
  }
}

function parseChunk(data: string): Chunk {
  try {
    return JSON.parse(data) as Chunk
  } catch (error) {
    throw new AppError('upstream_failed', words.cut, { cause: error })
  }
}

function brokenOff({ error }: Chunk): AppError {
  const told = error as Partial<WireError['error']> | undefined
  if (typeof told?.message !== 'string') return new AppError('upstream_failed', words.cut)
  return fromWireError({
    error: { type: '', param: null, request_id: '', ...told, message: told.message, code: told.code ?? '' },
  })
}

async function refusal(response: Response): Promise<AppError> {
  try {
    return brokenOff((await response.json()) as Chunk)
  } catch (error) {
    return new AppError('internal', words.odd(response.status), { cause: error })
  }
}
