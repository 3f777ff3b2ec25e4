import type { JsonObjectBytes } from '../../base/json/object.js'
import { type AnswerForm, UNKNOWN_EVENT, UnfitContinuation } from './answer-form.js'
import { addTo, type EventValue, listIn, objectIn, textIn } from './events.js'
import { lastMessageOf, shapingOf, withAnswer } from './request-obstacles.js'
import type { Said } from './said.js'

function optionsOf(request: JsonObjectBytes): EventValue {
  const raw = request.raw('options')
  return (raw === undefined ? undefined : objectIn(JSON.parse(raw.toString('utf8')))) ?? {}
}

function boundOf(request: JsonObjectBytes): number | undefined {
  const bound = optionsOf(request)['num_predict']
  return typeof bound === 'number' && bound > 0 ? bound : undefined
}

function changesOf(request: JsonObjectBytes, said: Readonly<Said>): Map<string, string | null> {
  const bound = boundOf(request)
  if (bound === undefined) return new Map()
  const options = { ...optionsOf(request), num_predict: Math.max(1, bound - said.tokens) }
  return new Map([['options', JSON.stringify(options)]])
}

function readLine(said: Said, event: EventValue, text: string): void {
  if (!('model' in said.head)) said.head['model'] = event['model']
  if (event['error'] !== undefined) said.obstacle = 'it ended in an error'
  if (text !== '') {
    said.text += text
    said.tokens += 1
  }
  if (event['done'] === true) said.isOver = true
}

function spliced(event: EventValue, before: Readonly<Said>): EventValue {
  const message = objectIn(event['message'])
  if (textIn(message?.['thinking'] ?? event['thinking']) !== '') throw new UnfitContinuation('it thinks anew')
  addTo(event, 'prompt_eval_count', -before.tokens)
  addTo(event, 'eval_count', before.tokens)
  return { ...event, ...before.head }
}

const last = (said: Readonly<Said>, more: EventValue): { name: undefined; data: string }[] =>
  said.isOver
    ? []
    : [
        {
          name: undefined,
          data: JSON.stringify({
            ...said.head,
            ...{ created_at: new Date().toISOString(), ...more, done: true, done_reason: 'length' },
            eval_count: said.tokens,
          }),
        },
      ]

/** `POST /api/chat` */
export const ollamaChat: AnswerForm = {
  name: 'ollama-chat',
  framing: 'ndjson',
  obstacle: (request) => shapingOf(request) ?? lastMessageOf(request),
  mostTokens: boundOf,
  changes: (request, said) => changesOf(request, said).set('messages', withAnswer(request, said.text)),
  read(said, event) {
    const message = objectIn(event['message']) ?? {}
    if (event['message'] !== message && event['done'] !== true) said.obstacle = UNKNOWN_EVENT
    if (textIn(message['thinking']) !== '') said.obstacle = 'it began with thinking'
    if (listIn(message['tool_calls']).length > 0) said.obstacle = 'a call of a tool was begun'
    readLine(said, event, textIn(message['content']))
  },
  spliced,
  ending: (said) => last(said, { message: { role: 'assistant', content: '' } }),
}

/** `POST /api/generate`, where the prompt is raw: a template would take what was said for a part of the question. */
export const ollamaGenerate: AnswerForm = {
  name: 'ollama-generate',
  framing: 'ndjson',
  obstacle: (request) =>
    shapingOf(request) ?? (request.scalar('raw') === true ? undefined : 'its prompt goes through a template'),
  mostTokens: boundOf,
  changes: (request, said) =>
    changesOf(request, said).set('prompt', JSON.stringify((request.text('prompt') ?? '') + said.text)),
  read(said, event) {
    if (typeof event['response'] !== 'string' && event['done'] !== true) said.obstacle = UNKNOWN_EVENT
    if (textIn(event['thinking']) !== '') said.obstacle = 'it began with thinking'
    readLine(said, event, textIn(event['response']))
  },
  spliced,
  ending: (said) => last(said, { response: '' }),
}
