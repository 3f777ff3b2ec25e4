import { randomInt, randomUUID } from 'node:crypto'
import { z } from 'zod'
import { AppError } from '#shared/errors.js'
import type { AnswerRequest, AnswerSummary } from './answer.js'

/** A request that was understood: what to write, and how to show it. */
export interface Ask {
  model: string
  stream: boolean
  answer: AnswerRequest
  /** One event of a stream; without text it is the last one before the usage. */
  event(text: string | undefined, summary?: AnswerSummary): unknown
  /** The usage as an event of its own, if the client wants it. */
  usageEvent(summary: AnswerSummary): unknown[]
  /** The answer in one document. */
  whole(text: string, summary: AnswerSummary): unknown
}

const DEFAULT_MAX_TOKENS = 256

/** A field that may also be `null`, which several clients send for "not given". */
const maybe = <T extends z.ZodType>(type: T) => type.nullish().transform((value) => value ?? undefined)

const tokenLimit = maybe(z.number().int().min(1).max(1_000_000))
const content = z.union([z.string(), z.array(z.object({ text: z.string().optional() })), z.null()]).optional()

const commonFields = {
  model: z.string({ error: 'is missing' }).min(1),
  stream: maybe(z.boolean()),
  stream_options: maybe(z.object({ include_usage: maybe(z.boolean()) })),
  max_tokens: tokenLimit,
  max_completion_tokens: tokenLimit,
  stop: maybe(z.union([z.string(), z.array(z.string()).max(16)])),
  temperature: maybe(z.number().min(0).max(2)),
  seed: maybe(z.number().int()),
  ignore_eos: maybe(z.boolean()),
  n: maybe(z.literal(1, { error: 'must be 1' })),
}

const ChatSchema = z.object({
  ...commonFields,
  messages: z
    .array(z.object({ role: z.string(), content }))
    .min(1)
    .max(10_000),
})

const CompletionSchema = z.object({
  ...commonFields,
  prompt: z.union([z.string(), z.tuple([z.string()], { error: 'only one prompt per request is offered' })]),
})

/** `POST /v1/chat/completions`. @throws AppError `missing_model`, `invalid_request` */
export function readChat(body: unknown): Ask {
  const fields = parseFields(ChatSchema, body)
  const texts = fields.messages.map(({ content }) =>
    Array.isArray(content) ? content.map(({ text }) => text ?? '').join(' ') : (content ?? ''),
  )
  return askOf(fields, texts, {
    idPrefix: 'chatcmpl',
    objects: ['chat.completion.chunk', 'chat.completion'],
    piece: (text) => ({ delta: text === undefined ? {} : { role: 'assistant', content: text } }),
    whole: (text) => ({ message: { role: 'assistant', content: text, refusal: null } }),
  })
}

/** `POST /v1/completions`. @throws AppError `missing_model`, `invalid_request` */
export function readCompletion(body: unknown): Ask {
  const fields = parseFields(CompletionSchema, body)
  return askOf(fields, [fields.prompt].flat(), {
    idPrefix: 'cmpl',
    objects: ['text_completion', 'text_completion'],
    piece: (text = '') => ({ text }),
    whole: (text) => ({ text }),
  })
}

function askOf(
  fields: z.output<z.ZodObject<typeof commonFields>>,
  texts: readonly string[],
  shape: {
    idPrefix: string
    objects: [piece: string, whole: string]
    piece(text: string | undefined): object
    whole(text: string): object
  },
): Ask {
  const { model, temperature, stop = [] } = fields
  const id = `${shape.idPrefix}-${randomUUID().replaceAll('-', '')}`
  const created = Math.floor(Date.now() / 1000)
  const [object, wholeObject] = shape.objects
  const withUsage = fields.stream_options?.include_usage === true
  const choice = (what: object, summary?: AnswerSummary) => [
    { index: 0, ...what, logprobs: null, finish_reason: summary?.finishReason ?? null },
  ]
  return {
    model,
    stream: fields.stream ?? false,
    answer: {
      prompt: texts.join('\n'),
      question: texts.at(-1) ?? '',
      maxTokens: fields.max_completion_tokens ?? fields.max_tokens ?? DEFAULT_MAX_TOKENS,
      stop: [stop].flat(),
      seed: fields.seed ?? (temperature === 0 ? 0 : randomInt(2 ** 31)),
      endless: fields.ignore_eos ?? false,
    },
    event: (text, summary) => ({ id, object, created, model, choices: choice(shape.piece(text), summary) }),
    usageEvent: (summary) => (withUsage ? [{ id, object, created, model, choices: [], usage: usageOf(summary) }] : []),
    whole(text, summary) {
      const choices = choice(shape.whole(text), summary)
      return { id, object: wholeObject, created, model, choices, usage: usageOf(summary) }
    },
  }
}

const usageOf = ({ promptTokens, completionTokens }: AnswerSummary) => ({
  prompt_tokens: promptTokens,
  completion_tokens: completionTokens,
  total_tokens: promptTokens + completionTokens,
})

function parseFields<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const param = issue?.path.join('.') ?? ''
  const code = param === 'model' ? 'missing_model' : 'invalid_request'
  throw new AppError(code, `${param || 'the body'}: ${issue?.message ?? ''}`, { param })
}
