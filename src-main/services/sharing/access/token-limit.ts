/** Every name under which servers take the most tokens of an answer. */
const TOKEN_FIELDS = [
  'max_tokens',
  'max_completion_tokens',
  'max_output_tokens',
  'max_new_tokens',
  'max_length',
  'n_predict',
  'num_predict',
]
/** What asks for a least number; servers refuse it above the most. */
const LEAST_FIELDS = ['min_tokens', 'min_new_tokens', 'min_length']

/** What each path takes where the request names no number. */
const FIELD_OF_PATH: Readonly<Record<string, string>> = {
  '/v1/chat/completions': 'max_tokens',
  '/v1/completions': 'max_tokens',
  '/v1/messages': 'max_tokens',
  '/v1/responses': 'max_output_tokens',
  '/api/chat': 'options.num_predict',
  '/api/generate': 'options.num_predict',
}

/** Fields that decide what a request costs or reaches. */
const DECIDING_FIELDS = new Set([
  ...TOKEN_FIELDS,
  ...LEAST_FIELDS,
  'model',
  'options',
  'n',
  'best_of',
  'n_cmpl',
  'prompt',
])

type JsonObject = Readonly<Record<string, unknown>>

/** Whether answers of this path are counted in tokens. */
export function isGeneration(path: string): boolean {
  return Object.hasOwn(FIELD_OF_PATH, path)
}

/**
 * A body without a second reading: Go's servers take `Model` for `model`, so such doubles of deciding fields are dropped.
 */
export function withoutDoubles(body: JsonObject): JsonObject {
  const isDouble = (name: string): boolean => !DECIDING_FIELDS.has(name) && DECIDING_FIELDS.has(folded(name))
  const clean = (object: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(object).filter(([name]) => !isDouble(name)))
  return isObject(body['options']) ? { ...clean(body), options: clean(body['options']) } : clean(body)
}

/** As Go folds names: also the long s and the Kelvin sign. */
const folded = (name: string): string => name.toLowerCase().replaceAll('\u017f', 's').replaceAll('\u212a', 'k')

/**
 * A request of which the answer has at most `limit` tokens. It is lowered rather than refused: a shorter answer says so
 * itself (`finish_reason: "length"`). A request for several answers shares the limit among them.
 */
export function lowerTokens(path: string, body: JsonObject, limit: number): JsonObject {
  const each = Math.max(1, Math.floor(limit / answersAsked(body)))
  const lowered = lowerFields(body, each)
  const field = FIELD_OF_PATH[path]
  if (field === 'options.num_predict') {
    const options = lowerFields(isObject(body['options']) ? body['options'] : {}, each)
    return { ...lowered, options: { ...options, num_predict: lower(options['num_predict'], each) } }
  }
  const isNamed = TOKEN_FIELDS.some((name) => lowered[name] !== undefined)
  return field === undefined || isNamed ? lowered : { ...lowered, [field]: each }
}

function lowerFields(body: JsonObject, limit: number): Record<string, unknown> {
  const lowered: Record<string, unknown> = { ...body }
  for (const name of TOKEN_FIELDS) if (Object.hasOwn(body, name)) lowered[name] = lower(body[name], limit)
  for (const name of LEAST_FIELDS) {
    if (typeof body[name] === 'number') lowered[name] = Math.min(body[name], limit)
  }
  return lowered
}

/** -1 and the like mean "without end" to some servers. */
function lower(value: unknown, limit: number): number {
  return typeof value === 'number' && value >= 0 && value <= limit ? value : limit
}

/** `n` answers to each prompt of a list. */
function answersAsked(body: JsonObject): number {
  const counts = ['n', 'best_of', 'n_cmpl'].map((name) => body[name]).filter((value) => typeof value === 'number')
  const { prompt } = body
  const prompts = Array.isArray(prompt) && typeof prompt[0] !== 'number' ? prompt.length : 1
  return Math.max(1, ...counts) * Math.max(1, prompts)
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
