import { elementsOf, JsonObjectBytes } from '../../../base/json/object.js'

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
  'messages',
  'input',
])

/** Whether answers of this path are counted in tokens. */
export function isGeneration(path: string): boolean {
  return Object.hasOwn(FIELD_OF_PATH, path)
}

/**
 * A body without a second reading: Go's servers take `Model` for `model`, so such doubles of deciding fields are dropped.
 * @throws AppError `invalid_request` where a deciding field stands there more than once
 */
export function withoutDoubles(body: JsonObjectBytes): JsonObjectBytes {
  const changes = doublesOf(body)
  const options = body.object('options')
  const inner = options === undefined ? undefined : doublesOf(options)
  if (options !== undefined && inner !== undefined && inner.size > 0) {
    changes.set('options', options.with(inner).bytes.toString('utf8'))
  }
  return body.with(changes)
}

function doublesOf(object: JsonObjectBytes): Map<string, string | null> {
  const doubles = new Map<string, string | null>()
  for (const name of object.names) {
    if (DECIDING_FIELDS.has(name)) object.assertOnce([name])
    else if (DECIDING_FIELDS.has(folded(name))) doubles.set(name, null)
  }
  return doubles
}

const FOLDED = /^[a-z0-9_]*$/

/** As Go folds names: also the long s and the Kelvin sign. */
export const folded = (name: string): string =>
  // Nearly every name is folded already.
  FOLDED.test(name) ? name : name.toLowerCase().replaceAll('\u017f', 's').replaceAll('\u212a', 'k')

/**
 * A request of which the answer has at most `limit` tokens. It is lowered rather than refused: a shorter answer says so
 * itself (`finish_reason: "length"`). A request for several answers shares the limit among them.
 */
export function lowerTokens(path: string, body: JsonObjectBytes, limit: number): JsonObjectBytes {
  const each = Math.max(1, Math.floor(limit / answersAsked(body)))
  const changes = lowered(body, each)
  const field = FIELD_OF_PATH[path]
  if (field === 'options.num_predict') {
    const options = body.object('options') ?? JsonObjectBytes.from(Buffer.from('{}'))
    const inner = lowered(options, each)
    if (!options.has('num_predict')) inner.set('num_predict', String(each))
    if (inner.size > 0) changes.set('options', options.with(inner).bytes.toString('utf8'))
  } else if (field !== undefined && !TOKEN_FIELDS.some((name) => body.has(name))) changes.set(field, String(each))
  return body.with(changes)
}

/** What is above the limit, with the limit in its place; what is within it stays as it was sent. */
function lowered(object: JsonObjectBytes, limit: number): Map<string, string | null> {
  const changes = new Map<string, string | null>()
  for (const name of TOKEN_FIELDS) {
    if (object.has(name) && !isWithin(object.scalar(name), limit)) changes.set(name, String(limit))
  }
  for (const name of LEAST_FIELDS) {
    const least = object.scalar(name)
    if (typeof least === 'number' && least > limit) changes.set(name, String(limit))
  }
  return changes
}

/** -1 and the like mean "without end" to some servers. */
function isWithin(value: unknown, limit: number): boolean {
  return typeof value === 'number' && value >= 0 && value <= limit
}

/** `n` answers to each prompt of a list. */
function answersAsked(body: JsonObjectBytes): number {
  const counts = ['n', 'best_of', 'n_cmpl']
    .map((name) => body.scalar(name))
    .filter((value) => typeof value === 'number')
  return Math.max(1, ...counts) * Math.max(1, promptsIn(body.raw('prompt')))
}

const OPEN_BRACKET = 0x5b

/** A list of numbers is one prompt, in tokens. */
function promptsIn(prompt: Buffer | undefined): number {
  if (prompt?.[0] !== OPEN_BRACKET) return 1
  let count = 0
  for (const element of elementsOf(prompt)) {
    if (/^[-\d]/.test(element.toString('latin1', 0, 1))) return 1
    count += 1
  }
  return count
}
