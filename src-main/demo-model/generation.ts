import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { LanguageModel } from './language-model.js'
import { createRandom } from './random.js'
import { createStopFilter } from './stop-filter.js'
import { endsSentence, inRunningText, toWords } from './words.js'

/** What a client asks to be written. */
export interface GenerationRequest {
  /** All of the client's text, for counting and for the first word. */
  prompt: string
  maxTokens: number | undefined
  /** Texts that end the answer and are not part of it. */
  stop: readonly string[]
  temperature: number
  /** The same seed and prompt give the same answer. */
  seed: number
  /** Keep writing until `maxTokens`, as vLLM's `ignore_eos` (for measurements). */
  endless: boolean
}

/** How a generation went, known once its pieces have been read. */
export interface GenerationSummary {
  finishReason: 'stop' | 'length'
  promptTokens: number
  completionTokens: number
}

/** Every answer begins with it, so that nobody takes the rest for knowledge. */
export const HONEST_OPENING =
  'I am the demo model that is built into Open Compute: I only put words of its manual in a likely order, so please believe nothing I write.'

const DEFAULT_MAX_TOKENS = 256

/** With pauses off, other work gets a turn after so many tokens. */
const TOKENS_PER_TURN = 32

/**
 * Writes an answer piece by piece (one token each, pauses between them so that `tokensPerSecond` come; 0: no pauses).
 * @throws the signal's reason as soon as it aborts
 */
export async function* generate(
  needs: { model: LanguageModel; signal: AbortSignal; onToken: () => void },
  request: GenerationRequest,
  options: { tokensPerSecond: number },
): AsyncGenerator<string, GenerationSummary> {
  const promptTokens = toWords(request.prompt).length
  const maxTokens = request.maxTokens ?? DEFAULT_MAX_TOKENS
  const filter = createStopFilter(request.stop)
  const startedAtMs = performance.now()
  let completionTokens = 0
  for (const piece of piecesOf(needs.model, request)) {
    if (completionTokens >= maxTokens) {
      yield* nonEmpty(filter.flush())
      return { finishReason: 'length', promptTokens, completionTokens }
    }
    await pause(startedAtMs, completionTokens, options.tokensPerSecond, needs.signal)
    needs.signal.throwIfAborted()
    completionTokens += 1
    needs.onToken()
    const { text, stopped } = filter.push(piece)
    yield* nonEmpty(text)
    if (stopped) return { finishReason: 'stop', promptTokens, completionTokens }
  }
  yield* nonEmpty(filter.flush())
  return { finishReason: 'stop', promptTokens, completionTokens }
}

function* piecesOf(model: LanguageModel, request: GenerationRequest): Generator<string> {
  let isFirst = true
  for (const word of toWords(HONEST_OPENING)) {
    yield inRunningText(word, isFirst)
    isFirst = false
  }
  const random = createRandom(request.seed)
  let sentencesLeft = 3 + Math.floor(random() * 4)
  for (const word of model.write({
    promptWords: toWords(request.prompt).slice(-200),
    random,
    temperature: request.temperature,
  })) {
    yield inRunningText(word, false)
    if (!endsSentence(word)) continue
    sentencesLeft -= 1
    if (sentencesLeft <= 0 && !request.endless) return
  }
}

async function pause(startedAtMs: number, tokens: number, tokensPerSecond: number, signal: AbortSignal): Promise<void> {
  if (tokensPerSecond <= 0) {
    if (tokens % TOKENS_PER_TURN === TOKENS_PER_TURN - 1) await nextTurn()
    return
  }
  const waitMs = startedAtMs + (tokens * 1000) / tokensPerSecond - performance.now()
  if (waitMs > 0) await sleep(waitMs, undefined, { signal })
}

function* nonEmpty(text: string): Generator<string> {
  if (text !== '') yield text
}
