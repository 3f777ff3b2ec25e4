import { z } from 'zod'
import type { AnswerFormat, Ask } from '../answer-format.js'
import type { GenerationSummary } from '../generation.js'
import {
  commonFields,
  content,
  maybe,
  oneAnswer,
  parseFields,
  samplingOf,
  stopTexts,
  tokenLimit,
} from '../request-fields.js'

const ChatSchema = z.object({
  ...commonFields,
  messages: z
    .array(z.object({ role: z.string(), content }))
    .min(1)
    .max(10_000),
  stream_options: maybe(z.object({ include_usage: maybe(z.boolean()) })),
  max_tokens: tokenLimit,
  max_completion_tokens: tokenLimit,
  stop: stopTexts,
  n: oneAnswer,
})

/** `POST /v1/chat/completions`. @throws AppError `missing_model`, `invalid_request` */
export function readChat(body: unknown, identity: { id: string; createdS: number }): Ask {
  const fields = parseFields(ChatSchema, body)
  return {
    model: fields.model,
    stream: fields.stream ?? false,
    generation: {
      prompt: fields.messages.map((message) => message.content).join('\n'),
      maxTokens: fields.max_completion_tokens ?? fields.max_tokens,
      stop: fields.stop,
      ...samplingOf(fields),
    },
    format: chatFormat({
      id: `chatcmpl-${identity.id}`,
      created: identity.createdS,
      model: fields.model,
      withUsage: fields.stream_options?.include_usage ?? false,
    }),
  }
}

function chatFormat(options: { id: string; created: number; model: string; withUsage: boolean }): AnswerFormat {
  const { id, created, model, withUsage } = options
  const head = { id, created, model }
  const chunk = (delta: object, finish_reason: string | null) => ({
    data: {
      ...head,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, logprobs: null, finish_reason }],
      ...(withUsage ? { usage: null } : {}),
    },
  })
  return {
    begin: () => [chunk({ role: 'assistant', content: '' }, null)],
    piece: (text) => [chunk({ content: text }, null)],
    end: (_text, summary) => [
      chunk({}, summary.finishReason),
      ...(withUsage
        ? [{ data: { ...head, object: 'chat.completion.chunk', choices: [], usage: usageOf(summary) } }]
        : []),
      { data: '[DONE]' },
    ],
    whole: (text, summary) => ({
      ...head,
      object: 'chat.completion',
      choices: [
        {
          index: 0,
          message: { role: 'assistant', content: text, refusal: null },
          logprobs: null,
          finish_reason: summary.finishReason,
        },
      ],
      usage: usageOf(summary),
    }),
  }
}

/** Token counts in OpenAI's shape. */
export function usageOf(summary: GenerationSummary) {
  return {
    prompt_tokens: summary.promptTokens,
    completion_tokens: summary.completionTokens,
    total_tokens: summary.promptTokens + summary.completionTokens,
  }
}
