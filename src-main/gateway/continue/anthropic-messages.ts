import { type AnswerForm, UNKNOWN_EVENT, UnfitContinuation } from './answer-form.js'
import { addTo, type AnswerEvent, type EventValue, objectIn, textIn } from './events.js'
import { boundIn, lastMessageOf, shapingOf, withAnswer } from './request-obstacles.js'

const KNOWN_EVENTS: ReadonlySet<unknown> = new Set([
  'ping',
  'error',
  'message_start',
  'message_delta',
  'message_stop',
  'content_block_start',
  'content_block_delta',
  'content_block_stop',
])
const BOUNDS = ['max_tokens'] as const

const event = (value: EventValue & { type: string }): AnswerEvent => ({
  name: value.type,
  data: JSON.stringify(value),
})

/** `POST /v1/messages`: what was said is the beginning of the assistant's turn, as that interface has it. */
export const anthropicMessages: AnswerForm = {
  name: 'messages',
  framing: 'sse',
  obstacle: (request) => shapingOf(request) ?? lastMessageOf(request),
  mostTokens: (request) => boundIn(request, BOUNDS)?.tokens,
  changes(request, said) {
    const changes = new Map([['messages', withAnswer(request, said.text)]])
    const bound = boundIn(request, BOUNDS)
    if (bound !== undefined) changes.set(bound.name, String(Math.max(1, bound.tokens - said.tokens)))
    return changes
  },
  read(said, value) {
    if (!KNOWN_EVENTS.has(value['type'])) said.obstacle = UNKNOWN_EVENT
    if (value['type'] === 'error') said.obstacle = 'it ended in an error'
    if (value['type'] === 'content_block_start') {
      if (objectIn(value['content_block'])?.['type'] !== 'text') said.obstacle = 'it began with more than text'
      else if (said.head['block'] !== undefined) said.obstacle = 'it has several parts'
      said.head['block'] = value['index']
    }
    if (value['type'] === 'message_start') said.head['began'] = true
    if (value['type'] === 'content_block_delta') {
      const text = textIn(objectIn(value['delta'])?.['text'])
      said.text += text
      if (text !== '') said.tokens += 1
    }
    if (value['type'] === 'content_block_stop') said.head['stopped'] = true
    const reason = objectIn(value['delta'])?.['stop_reason']
    if (value['type'] === 'message_delta' && typeof reason === 'string') said.isOver = true
  },
  spliced(value, before) {
    const { type } = value
    // Between the end of a part and the reason for it there is nothing that a model could go on with.
    if (before.head['stopped'] === true) throw new UnfitContinuation('a part of it had ended')
    if (type === 'message_start') return before.head['began'] === true ? undefined : value
    if (type === 'content_block_start') {
      const kind = objectIn(value['content_block'])?.['type']
      if (kind === 'thinking' || kind === 'redacted_thinking') throw new UnfitContinuation('it thinks anew')
      if (value['index'] === 0 && before.head['block'] !== undefined) {
        if (kind !== 'text') throw new UnfitContinuation('it begins with something else than text')
        return undefined
      }
    }
    const usage = type === 'message_delta' ? objectIn(value['usage']) : undefined
    if (usage !== undefined) {
      addTo(usage, 'output_tokens', before.tokens)
      addTo(usage, 'input_tokens', -before.tokens)
    }
    return value
  },
  ending(said) {
    const stop = event({ type: 'message_stop' })
    if (said.isOver) return [stop]
    const delta = { stop_reason: 'max_tokens', stop_sequence: null }
    const block =
      said.head['stopped'] === true ? [] : [event({ type: 'content_block_stop', index: said.head['block'] ?? 0 })]
    return [...block, event({ type: 'message_delta', delta, usage: { output_tokens: said.tokens } }), stop]
  },
}
