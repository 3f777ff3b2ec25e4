import { z } from 'zod'
import type { AnswerFormat, Ask } from '../answer-format.js'
import { toWords } from '../words.js'
import { commonFields, content, parseFields, samplingOf, stopTexts, tokenLimit } from '../request-fields.js'

const MessagesSchema = z.object({
  ...commonFields,
  system: content,
  messages: z
    .array(z.object({ role: z.string(), content }))
    .min(1)
    .max(10_000),
  max_tokens: tokenLimit,
  stop_sequences: stopTexts,
})

/** `POST /v1/messages`, Anthropic's interface. @throws AppError `missing_model`, `invalid_request` */
export function readMessages(body: unknown, identity: { id: string }): Ask {
  const fields = parseFields(MessagesSchema, body)
  const prompt = [fields.system, ...fields.messages.map((message) => message.content)].join('\n')
  return {
    model: fields.model,
    stream: fields.stream ?? false,
    generation: { prompt, maxTokens: fields.max_tokens, stop: fields.stop_sequences, ...samplingOf(fields) },
    format: messagesFormat({ id: `msg_${identity.id}`, model: fields.model, promptTokens: toWords(prompt).length }),
  }
}

function messagesFormat(options: { id: string; model: string; promptTokens: number }): AnswerFormat {
  const { id, model, promptTokens } = options
  const message = (text: string | undefined, stopReason: string | null, outputTokens: number) => ({
    id,
    type: 'message',
    role: 'assistant',
    model,
    content: text === undefined ? [] : [{ type: 'text', text }],
    stop_reason: stopReason,
    stop_sequence: null,
    usage: { input_tokens: promptTokens, output_tokens: outputTokens },
  })
  const event = (type: string, fields: object) => ({ event: type, data: { type, ...fields } })
  return {
    begin: () => [
      event('message_start', { message: message(undefined, null, 0) }),
      event('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    ],
    piece: (text) => [event('content_block_delta', { index: 0, delta: { type: 'text_delta', text } })],
    end: (_text, summary) => [
      event('content_block_stop', { index: 0 }),
      event('message_delta', {
        delta: { stop_reason: stopReasonOf(summary.finishReason), stop_sequence: null },
        usage: { output_tokens: summary.completionTokens },
      }),
      event('message_stop', {}),
    ],
    whole: (text, summary) => message(text, stopReasonOf(summary.finishReason), summary.completionTokens),
  }
}

function stopReasonOf(finishReason: 'stop' | 'length'): string {
  return finishReason === 'length' ? 'max_tokens' : 'end_turn'
}
