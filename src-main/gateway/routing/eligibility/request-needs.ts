import type { ModelFacts } from '#shared/model-facts.js'
import type { JsonObjectBytes } from '../../../base/json/object.js'

/** What a request needs of the model that answers it. */
export interface RequestNeeds {
  /** What its path asks a model to be; undefined where any may be asked. */
  readonly kind: ModelFacts['kind']
  readonly hasTools: boolean
  readonly hasImages: boolean
  /** Its prompt is not text alone: its bytes say nothing of its tokens. */
  readonly isMixed: boolean
  /** Tokens of the answer that it asks for; 0 where it leaves that open. */
  readonly answerTokens: number
  /** The request sets the context size itself, so its server reloads the model to fit. */
  readonly setsContext: boolean
}

const KINDS: readonly (readonly [RegExp, NonNullable<ModelFacts['kind']>])[] = [
  // Most requests come first.
  [/\/(?:v1\/(?:chat\/completions|completions|responses|messages)(?:\/[a-z_]+)?|api\/chat|api\/generate)$/, 'chat'],
  [/\/(?:v1\/embeddings|api\/embed|api\/embeddings)$/, 'embedding'],
  [/\/v1\/(?:rerank|reranking)$/, 'rerank'],
  [/\/v1\/audio\//, 'audio'],
  [/\/v1\/images\//, 'image'],
]

/** Where requests bound their answers, in the interfaces that are spoken. */
const ANSWER_MEMBERS = ['max_tokens', 'max_completion_tokens', 'max_output_tokens'] as const

/** What a request to that raw path needs, with `json` as its body where it has one. */
export function needsOf(path: string, json: JsonObjectBytes | undefined): RequestNeeds {
  const plainPath = path.split('?', 1)[0] ?? ''
  const kind = KINDS.find(([pattern]) => pattern.test(plainPath))?.[1]
  const prompts = [json?.raw('messages'), json?.raw('input')].filter((part) => part !== undefined)
  const has = (word: string, before?: string): boolean => prompts.some((part) => hasWord(part, word, before))
  const isOllamas = plainPath.includes('/api/')
  const hasImages =
    has('image_url') ||
    has('input_image') ||
    has('image', 'type') ||
    (isOllamas && (json?.has('images') === true || has('images')))
  const options = json?.object('options')
  return {
    ...{ kind, hasImages },
    hasTools: (json?.raw('tools')?.length ?? 0) > EMPTY_LIST_BYTES,
    isMixed: hasImages || has('input_audio') || has('input_file') || has('document', 'type'),
    answerTokens: Math.max(0, ...ANSWER_MEMBERS.map((name) => countOf(json?.scalar(name))), predictOf(options)),
    setsContext: options?.has('num_ctx') === true,
  }
}

/** `[]`, or `null` */
const EMPTY_LIST_BYTES = 4

const predictOf = (options: JsonObjectBytes | undefined): number => countOf(options?.scalar('num_predict'))

const countOf = (value: unknown): number => (typeof value === 'number' && Number.isFinite(value) ? value : 0)

/** How much room JSON may leave between a member's name and its value. */
const MAX_GAP = 16

/**
 * Whether JSON has that word as a whole string, as the value of `before` where that is given. What a person writes about
 * the word stands inside a string, where its quotes are escaped.
 */
function hasWord(json: Buffer, word: string, before?: string): boolean {
  const quoted = `"${word}"`
  for (let at = json.indexOf(quoted); at !== -1; at = json.indexOf(quoted, at + quoted.length)) {
    if (before === undefined) return true
    const from = Math.max(0, at - MAX_GAP - before.length)
    if (json.toString('latin1', from, at).replace(/\s+/g, '').endsWith(`"${before}":`)) return true
  }
  return false
}
