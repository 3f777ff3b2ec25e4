import { z } from 'zod'
import type { AnswerFormat, Ask } from '../answer-format.js'
import { commonFields, maybe, oneAnswer, parseFields, samplingOf, stopTexts, tokenLimit } from '../request-fields.js'
import { usageOf } from './chat.js'

const CompletionSchema = z.object({
  ...commonFields,
  prompt: z.union([z.string(), z.array(z.string()).length(1, { error: 'only one prompt per request is offered' })]),
  stream_options: maybe(z.object({ include_usage: maybe(z.boolean()) })),
  max_tokens: tokenLimit,
  stop: stopTexts,
  n: oneAnswer,
})

/** `POST /v1/completions`. @throws AppError `missing_model`, `invalid_request` */
export function readCompletion(body: unknown, identity: { id: string; createdS: number }): Ask {
  const fields = parseFields(CompletionSchema, body)
  return {
    model: fields.model,
    stream: fields.stream ?? false,
    generation: {
      prompt: [fields.prompt].flat().join('\n'),
      maxTokens: fields.max_tokens,
      stop: fields.stop,
      ...samplingOf(fields),
    },
    format: completionFormat({
      id: `cmpl-${identity.id}`,
      created: identity.createdS,
      model: fields.model,
      withUsage: fields.stream_options?.include_usage ?? false,
    }),
  }
}

function completionFormat(options: { id: string; created: number; model: string; withUsage: boolean }): AnswerFormat {
  const { id, created, model, withUsage } = options
  const head = { id, object: 'text_completion', created, model }
  const choice = (text: string, finish_reason: string | null) => ({ index: 0, text, logprobs: null, finish_reason })
  return {
    begin: () => [],
    piece: (text) => [{ data: { ...head, choices: [choice(text, null)] } }],
    end: (_text, summary) => [
      { data: { ...head, choices: [choice('', summary.finishReason)] } },
      ...(withUsage ? [{ data: { ...head, choices: [], usage: usageOf(summary) } }] : []),
      { data: '[DONE]' },
    ],
    whole: (text, summary) => ({ ...head, choices: [choice(text, summary.finishReason)], usage: usageOf(summary) }),
  }
}
