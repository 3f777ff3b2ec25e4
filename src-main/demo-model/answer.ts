import { createHash } from 'node:crypto'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'

/** What a client asks to be written. */
export interface AnswerRequest {
  /** All of the client's text, to be counted. */
  prompt: string
  /** The last of it, whose words choose the sentences. */
  question: string
  maxTokens: number
  /** Texts that end the answer and are not part of it. */
  stop: readonly string[]
  /** The same seed and question give the same answer. */
  seed: number
  /** Keep writing until `maxTokens`, as vLLM's `ignore_eos` (for measurements). */
  endless: boolean
}

/** How an answer went, known once its pieces have been read. */
export interface AnswerSummary {
  finishReason: 'stop' | 'length'
  promptTokens: number
  completionTokens: number
}

const INTRODUCTION = 'I am the demo model that is built into Open Compute.'

/** What it can do, in several wordings; every answer has one, so that no one takes it for knowledge. */
const MODESTY = [
  'I do not understand questions: I only show sentences about the project that share words with yours.',
  'There is no real model behind me: I pick ready-made sentences about the project by the words of your question.',
  'I cannot think: I match the words of your question with a few sentences about the project.',
]

/** All it knows. Each is true by itself, in whatever company it appears. */
const FACTS = [
  'Open Compute lets computers of many people answer questions with language models together.',
  'A node is one computer in the network: it has a key of its own, and no server in the middle decides who takes part.',
  'If you have a model server, you can share its models with the network; if you have none, you can use those of others.',
  'Your programs talk to the gateway, one address on your own machine that speaks the protocol of OpenAI.',
  'The gateway looks into the node table, finds the providers that offer the model, and chooses one of them.',
  'If a provider is lost before its answer begins, the gateway tries another one.',
  'The node table is a list of who offers what; every peer writes and signs its own row.',
  'A row of the node table is forgotten when its peer stops renewing it.',
  'An answer comes word by word, as a stream, and the work at the provider ends when you close it.',
  'The owner of a computer decides which models are shared, with whom and how much.',
  'A peer reaches only the paths that a service shares, never the calls that manage the server.',
  'A new node needs one address of another node, the bootstrap address; from there it finds the rest.',
  'Where two computers cannot connect directly, a relay carries their bytes without being able to read them.',
  'Whoever computes an answer reads the prompt; the connections in between are encrypted.',
  'Each answer has the peer id of the node that computed it in the header X-Computing-Node.',
  'The demo model is there so that the whole path from question to answer can be tried before a real model is shared.',
  'As soon as a real model is shared from this computer, the demo model steps aside.',
]

/** One word, number or punctuation mark: what this model counts as a token. */
const TOKEN = /[\p{L}\p{N}]+(?:['’.-][\p{L}\p{N}]+)*|[.,;:!?]/gu

/** With pauses off, other work gets a turn after so many tokens. */
const TOKENS_PER_TURN = 32

/**
 * Writes an answer piece by piece: a token each, paced so that `tokensPerSecond` come (0: no pauses).
 * @throws the signal's reason as soon as it aborts
 */
export async function* writeAnswer(
  request: AnswerRequest,
  options: { tokensPerSecond: number; signal: AbortSignal; onToken: () => void },
): AsyncGenerator<string, AnswerSummary> {
  const stops = request.stop.filter((stop) => stop !== '')
  const startedAtMs = performance.now()
  const summary = { promptTokens: tokensOf(request.prompt).length, completionTokens: 0 }
  /** Not sent yet, because a stop text may begin there. */
  let held = ''
  let finishReason: AnswerSummary['finishReason'] = 'stop'
  for (const piece of piecesOf(request)) {
    if (summary.completionTokens >= request.maxTokens) {
      finishReason = 'length'
      break
    }
    await pause(startedAtMs, summary.completionTokens, options)
    summary.completionTokens += 1
    options.onToken()
    held += piece
    const end = firstComplete(held, stops)
    const sent = end ?? held.length - Math.max(0, ...stops.map((stop) => overlap(held, stop)))
    if (sent > 0) yield held.slice(0, sent)
    if (end !== undefined) return { ...summary, finishReason }
    held = held.slice(sent)
  }
  if (held !== '') yield held
  return { ...summary, finishReason }
}

/**
 * Where the stop text begins that is complete first in `text`, the longest of those that end together. What is complete
 * first counts, not what begins first: a stream cannot know whether a longer stop text will be completed.
 */
function firstComplete(text: string, stops: readonly string[]): number | undefined {
  const found = stops
    .map((stop) => ({ start: text.indexOf(stop), length: stop.length }))
    .filter(({ start }) => start !== -1)
    .sort((a, b) => a.start + a.length - (b.start + b.length) || a.start - b.start)
  return found[0]?.start
}

/** How many characters at the end of `text` could be the beginning of `stop`. */
function overlap(text: string, stop: string): number {
  let length = Math.min(text.length, stop.length - 1)
  while (length > 0 && !stop.startsWith(text.slice(-length))) length -= 1
  return length
}

function* piecesOf(request: AnswerRequest): Generator<string> {
  let isFirst = true
  for (const sentence of sentencesOf(request)) {
    for (const token of tokensOf(sentence)) {
      yield isFirst || /^[.,;:!?]$/.test(token) ? token : ` ${token}`
      isFirst = false
    }
  }
}

/** The introduction, then the facts with most words of the question; what is equal in that goes by the seed. */
function* sentencesOf({ question, seed, endless }: AnswerRequest): Generator<string> {
  const asked = new Set(tellingWords(question))
  const ranked = FACTS.map((fact) => ({
    fact,
    common: new Set(tellingWords(fact).filter((word) => asked.has(word))).size,
    chance: chanceOf(seed, fact),
  })).sort((a, b) => b.common - a.common || a.chance - b.chance)
  yield INTRODUCTION
  yield MODESTY[chanceOf(seed, 'modesty') % MODESTY.length] ?? ''
  const count = 2 + (chanceOf(seed, 'count') % 3)
  do for (const { fact } of endless ? ranked : ranked.slice(0, count)) yield fact
  while (endless)
}

/** A number from 0 to 255 that looks like chance and depends on nothing else. */
function chanceOf(seed: number, what: string): number {
  return createHash('sha256').update(`${seed} ${what}`).digest().readUInt8()
}

const tokensOf = (text: string): string[] => text.match(TOKEN) ?? []

/** The longer words, small and without a plural's s. */
const tellingWords = (text: string): string[] =>
  tokensOf(text.toLowerCase())
    .filter((word) => word.length > 3)
    .map((word) => word.replace(/s$/, ''))

async function pause(
  startedAtMs: number,
  tokens: number,
  { tokensPerSecond, signal }: { tokensPerSecond: number; signal: AbortSignal },
): Promise<void> {
  if (tokensPerSecond > 0) {
    const waitMs = startedAtMs + (tokens * 1000) / tokensPerSecond - performance.now()
    if (waitMs > 0) await sleep(waitMs, undefined, { signal })
  } else if (tokens % TOKENS_PER_TURN === TOKENS_PER_TURN - 1) await nextTurn()
  signal.throwIfAborted()
}
