import type { JsonObjectBytes } from '../../base/json/object.js'
import { type AnswerForm, UNKNOWN_EVENT, UnfitContinuation } from './answer-form.js'
import { addTo, type AnswerEvent, type EventValue, listIn, objectIn, textIn } from './events.js'
import { boundIn, lastMessageOf, shapingOf, withAnswer } from './request-obstacles.js'
import type { Said } from './said.js'

/** What each chunk of one answer repeats. */
const SHARED = ['id', 'created', 'model', 'system_fingerprint', 'object'] as const
const BOUNDS = ['max_completion_tokens', 'max_tokens', 'n_predict'] as const

/** What thinking is called by the servers that tell it apart. */
const thinkingIn = (delta: EventValue): string => textIn(delta['reasoning_content']) || textIn(delta['reasoning'])

function readHead(said: Said, event: EventValue): void {
  for (const name of SHARED) if (!(name in said.head) && event[name] !== undefined) said.head[name] = event[name]
}

/** The only choice of a chunk; undefined where it has none, as the one that counts tokens. */
function choiceOf(said: Said, event: EventValue): EventValue | undefined {
  const choices = listIn(event['choices'])
  const choice = objectIn(choices[0])
  if (!Array.isArray(event['choices'])) said.obstacle = UNKNOWN_EVENT
  if (choices.length > 1 || (choice?.['index'] ?? 0) !== 0) said.obstacle = 'it has several choices'
  return choice
}

function readText(said: Said, text: string): void {
  if (text === '') return
  said.text += text
  said.tokens += 1
}

/** As the first provider would have sent it. */
function withHead(event: EventValue, before: Readonly<Said>): EventValue {
  const usage = objectIn(event['usage'])
  if (usage !== undefined) {
    addTo(usage, 'prompt_tokens', -before.tokens)
    addTo(usage, 'completion_tokens', before.tokens)
  }
  return { ...event, ...before.head }
}

function changesOf(request: JsonObjectBytes, said: Readonly<Said>): Map<string, string | null> {
  const bound = boundIn(request, BOUNDS)
  return new Map(bound === undefined ? [] : [[bound.name, String(Math.max(1, bound.tokens - said.tokens))]])
}

function endingOf(said: Readonly<Said>, choice: EventValue): AnswerEvent[] {
  const done: AnswerEvent = { name: undefined, data: '[DONE]' }
  if (said.isOver) return [done]
  const last = { ...said.head, choices: [{ index: 0, ...choice, finish_reason: 'length' }] }
  return [{ name: undefined, data: JSON.stringify(last) }, done]
}

/** `POST /v1/chat/completions` */
export const openAiChat: AnswerForm = {
  name: 'chat',
  framing: 'sse',
  obstacle: (request) => shapingOf(request) ?? lastMessageOf(request),
  mostTokens: (request) => boundIn(request, BOUNDS)?.tokens,
  changes(request, said) {
    return changesOf(request, said)
      .set('messages', withAnswer(request, said.text))
      .set('continue_final_message', 'true')
      .set('add_generation_prompt', 'false')
  },
  read(said, event) {
    readHead(said, event)
    if (event['error'] !== undefined) said.obstacle = 'it ended in an error'
    const choice = choiceOf(said, event)
    const delta = objectIn(choice?.['delta']) ?? {}
    if (choice !== undefined && choice['delta'] !== delta) said.obstacle = UNKNOWN_EVENT
    if (listIn(delta['tool_calls']).length > 0 || objectIn(delta['function_call']) !== undefined) {
      said.obstacle = 'a call of a tool was begun'
    }
    if (thinkingIn(delta) !== '') said.obstacle = 'it began with thinking'
    if (textIn(delta['refusal']) !== '') said.obstacle = 'it began with a refusal'
    readText(said, textIn(delta['content']))
    if (typeof choice?.['finish_reason'] === 'string') said.isOver = true
  },
  spliced(event, before) {
    const choice = objectIn(listIn(event['choices'])[0])
    const delta = objectIn(choice?.['delta'])
    if (delta !== undefined) {
      if (thinkingIn(delta) !== '') throw new UnfitContinuation('it thinks anew')
      delete delta['role']
      const isEmpty = Object.values(delta).every((value) => value === null || value === '')
      const tells = event['usage'] ?? choice?.['finish_reason'] ?? null
      if (isEmpty && tells === null) return undefined
    }
    return withHead(event, before)
  },
  ending: (said) => endingOf(said, { delta: {} }),
}

/** `POST /v1/completions`, of one prompt */
export const openAiCompletions: AnswerForm = {
  name: 'completions',
  framing: 'sse',
  obstacle: (request) =>
    shapingOf(request) ?? (promptOf(request) === undefined ? 'its prompt is no single text' : undefined),
  mostTokens: (request) => boundIn(request, BOUNDS)?.tokens,
  changes: (request, said) =>
    changesOf(request, said).set('prompt', JSON.stringify((promptOf(request) ?? '') + said.text)),
  read(said, event) {
    readHead(said, event)
    if (event['error'] !== undefined) said.obstacle = 'it ended in an error'
    const choice = choiceOf(said, event)
    if (choice !== undefined && typeof choice['text'] !== 'string') said.obstacle = UNKNOWN_EVENT
    readText(said, textIn(choice?.['text']))
    if (typeof choice?.['finish_reason'] === 'string') said.isOver = true
  },
  spliced: withHead,
  ending: (said) => endingOf(said, { text: '' }),
}

function promptOf(request: JsonObjectBytes): string | undefined {
  const raw = request.raw('prompt')
  const prompt: unknown = raw === undefined ? undefined : JSON.parse(raw.toString('utf8'))
  return typeof prompt === 'string' ? prompt : undefined
}
