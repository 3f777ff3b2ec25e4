import { type ChatPiece, readChat, readChatEvent, ServerEvents } from '#shared/chat-events.js'
import type { Client } from '#shared/contract/client.js'
import { AppError, fromWireError } from '#shared/errors.js'
import { strings } from '../../strings.js'

const { chat: words } = strings

/** One message as the gateway takes it. */
export interface ChatMessage {
  role: 'system' | 'user' | 'assistant'
  content: string | readonly ChatPart[]
}

type ChatPart = { type: 'text'; text: string } | { type: 'image_url'; image_url: { url: string } }

/** What is to be asked, and of whom. */
export interface Question {
  /** With `/v1`. */
  baseUrl: string
  model: string
  messages: readonly ChatMessage[]
  /** Null for what the server takes by default. */
  temperature: number | null
  /** Tokens of the answer at most; null for what the server takes by default. */
  maxTokens: number | null
  /** This page's own key of the gateway; null where it asks for none. */
  key: string | null
  /** `X-Ocf-…` headers that choose among providers. */
  headers: Readonly<Record<string, string>>
}

/** Where the gateway is (with `/v1`), and this page's own key of it. Throws an `AppError` while it has no address. */
export async function gatewayOf(client: Pick<Client, 'call'>): Promise<Pick<Question, 'baseUrl' | 'key'>> {
  const [{ gatewayUrl }, { key }] = await Promise.all([client.call('node.status', {}), client.call('keys.own', {})])
  if (gatewayUrl === null) throw new AppError('node_not_running', words.noGateway)
  return { baseUrl: `${gatewayUrl}/v1`, key }
}

/** What is known of an answer; more as it comes. */
export interface Answer {
  text: string
  /** What the model thought before it answered, where its server keeps that apart. */
  reasoning: string
  /** Peer id of who answers. */
  servedBy: string | null
  /** Peer id of who went on with it when that one was lost. */
  continuedBy: string | null
  tries: number | null
  /** Milliseconds from asking to the first piece. */
  ttftMs: number | null
  /** Milliseconds from the first piece to the last. */
  streamedMs: number
  tokens: number
  /** False while `tokens` only counts pieces. */
  exactTokens: boolean
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
    ...{ text: '', reasoning: '' },
    servedBy: response.headers.get('X-Computing-Node'),
    continuedBy: null,
    tries: Number(response.headers.get('X-Ocf-Tries')) || null,
    ttftMs: null,
    streamedMs: 0,
    tokens: 0,
    exactTokens: false,
  }
  onAnswer(answer)
  let isWhole = false
  for await (const piece of piecesOf(response.body)) {
    if (piece === undefined) break
    if (piece.error !== undefined) throw told(piece.error)
    isWhole ||= piece.isEnd
    if (piece.isLast) break
    const next = grown(answer, piece, performance.now() - startedAt)
    if (next === answer) continue
    answer = next
    onAnswer(answer)
  }
  if (!isWhole) throw new AppError('upstream_failed', words.cut)
}

/** What a stream says, as it comes; undefined for what is cut off. */
async function* piecesOf(body: ReadableStream<Uint8Array>): AsyncGenerator<ChatPiece | undefined> {
  const reader = body.getReader()
  const decoder = new TextDecoder()
  const events = new ServerEvents()
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) break
      for (const event of events.push(decoder.decode(value, { stream: true }))) yield readChatEvent(event)
    }
    for (const event of events.end()) yield readChatEvent(event)
  } finally {
    // Who stops reading wants nothing more; a stream that failed can't be cancelled.
    reader.cancel().catch(() => undefined)
  }
}

/** An answer after one more piece of it. */
function grown(answer: Answer, piece: ChatPiece, elapsedMs: number): Answer {
  const isPiece = piece.text !== '' || piece.reasoning !== ''
  const exact = piece.tokens
  if (!isPiece && exact === undefined && piece.continuedBy === undefined) return answer
  const ttftMs = answer.ttftMs ?? (isPiece ? elapsedMs : null)
  return {
    ...answer,
    continuedBy: piece.continuedBy ?? answer.continuedBy,
    text: answer.text + piece.text,
    reasoning: answer.reasoning + piece.reasoning,
    ttftMs,
    streamedMs: isPiece && ttftMs !== null ? elapsedMs - ttftMs : answer.streamedMs,
    tokens: exact ?? (answer.exactTokens || !isPiece ? answer.tokens : answer.tokens + 1),
    exactTokens: answer.exactTokens || exact !== undefined,
  }
}

async function post(question: Question, signal: AbortSignal): Promise<Response> {
  const { baseUrl, model, messages, temperature, maxTokens, headers, key } = question
  const options = {
    ...(temperature === null ? {} : { temperature }),
    ...(maxTokens === null ? {} : { max_tokens: maxTokens }),
  }
  try {
    return await fetch(`${baseUrl}/chat/completions`, {
      method: 'POST',
      headers: {
        ...{ 'Content-Type': 'application/json', ...headers },
        ...(key === null ? {} : { Authorization: `Bearer ${key}` }),
      },
      body: JSON.stringify({ model, messages, ...options, stream: true, stream_options: { include_usage: true } }),
      credentials: 'omit',
      cache: 'no-store',
      signal,
    })
  } catch (error) {
    if (signal.aborted) throw error
    throw new AppError('node_not_running', words.unreachable, { cause: error })
  }
}

/** The server's own error, under the code it has where that is one of ours. */
const told = (error: { message: string; code: string }): AppError =>
  fromWireError({ error: { type: '', param: null, request_id: '', ...error } })

/** Why the gateway refused, as its answer says. */
export async function refusal(response: Response): Promise<AppError> {
  try {
    const { error } = readChat(await response.json())
    return error === undefined ? new AppError('upstream_failed', words.cut) : told(error)
  } catch (error) {
    return new AppError('internal', words.odd(response.status), { cause: error })
  }
}
