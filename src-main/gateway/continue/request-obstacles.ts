import type { JsonObjectBytes } from '../../base/json/object.js'
import { listIn, objectIn } from './events.js'

/** Members that shape an answer as a whole: what is begun of it can't be handed on. */
const SHAPING = [
  ...['response_format', 'format', 'json_schema', 'grammar', 'structured_outputs', 'output_config'],
  ...['guided_json', 'guided_regex', 'guided_choice', 'guided_grammar', 'regex', 'ebnf', 'structural_tag'],
  ...['prediction', 'audio', 'modalities', 'logprobs', 'top_logprobs', 'echo', 'suffix', 'best_of'],
]

/** Values that are as good as none. */
const isUnset = (value: unknown): boolean =>
  value === null ||
  value === false ||
  value === '' ||
  (objectIn(value) !== undefined && objectIn(value)?.['type'] === 'text')

/** Why an answer to this request can't be handed on, whatever its form; undefined where it can. */
export function shapingOf(request: JsonObjectBytes): string | undefined {
  for (const name of SHAPING) {
    const raw = request.raw(name)
    if (raw !== undefined && !isUnset(JSON.parse(raw.toString('utf8')))) return `the request has "${name}"`
  }
  const n = request.scalar('n')
  if (typeof n === 'number' && n > 1) return 'the request wants several answers'
  const choice = request.raw('tool_choice')
  if (choice === undefined) return undefined
  const value: unknown = JSON.parse(choice.toString('utf8'))
  return value === 'auto' || value === 'none' || value === null || objectIn(value)?.['type'] === 'auto'
    ? undefined
    : 'the request insists on a tool'
}

/** Why the messages of a request can't get an answer's beginning behind them; undefined where they can. */
export function lastMessageOf(request: JsonObjectBytes): string | undefined {
  const last = objectIn(messagesOf(request).at(-1))
  if (last === undefined) return 'the request has no messages'
  return last['role'] === 'assistant' ? 'the request begins the answer itself' : undefined
}

/** The messages of a chat. */
function messagesOf(request: JsonObjectBytes): readonly unknown[] {
  const raw = request.raw('messages')
  return raw === undefined ? [] : listIn(JSON.parse(raw.toString('utf8')))
}

/** The messages with the beginning of the answer behind them, as JSON. */
export function withAnswer(request: JsonObjectBytes, text: string): string {
  return JSON.stringify([...messagesOf(request), { role: 'assistant', content: text }])
}

/** The bound on an answer's tokens, by the first of these members that has one. */
export function boundIn(
  request: JsonObjectBytes,
  names: readonly string[],
): { name: string; tokens: number } | undefined {
  for (const name of names) {
    const tokens = request.scalar(name)
    if (typeof tokens === 'number' && tokens > 0) return { name, tokens }
  }
  return undefined
}
