import { z } from 'zod'
import type { AnswerFormat, Ask, SseEvent } from '../answer-format.js'
import type { GenerationSummary } from '../generation.js'
import { commonFields, content, maybe, parseFields, samplingOf, tokenLimit } from '../request-fields.js'

const ResponsesSchema = z.object({
  ...commonFields,
  instructions: maybe(z.string()),
  input: z.union([z.string(), z.array(z.object({ content })).min(1).max(10_000)]),
  max_output_tokens: tokenLimit,
})

/** `POST /v1/responses`, as much of it as a text answer needs. @throws AppError `missing_model`, `invalid_request` */
export function readResponses(body: unknown, identity: { id: string; createdS: number }): Ask {
  const fields = parseFields(ResponsesSchema, body)
  const input = typeof fields.input === 'string' ? [fields.input] : fields.input.map((item) => item.content)
  return {
    model: fields.model,
    stream: fields.stream ?? false,
    generation: {
      prompt: [fields.instructions ?? '', ...input].join('\n'),
      maxTokens: fields.max_output_tokens,
      stop: [],
      ...samplingOf(fields),
    },
    format: responsesFormat({ id: identity.id, createdS: identity.createdS, model: fields.model }),
  }
}

function responsesFormat(identity: { id: string; createdS: number; model: string }): AnswerFormat {
  const itemId = `msg_${identity.id}`
  let sequence = 0
  const event = (type: string, fields: object): SseEvent => {
    sequence += 1
    return { event: type, data: { type, sequence_number: sequence - 1, ...fields } }
  }
  const part = (text: string) => ({ type: 'output_text', text, annotations: [], logprobs: [] })
  const item = (status: string, parts: object[]) => ({
    id: itemId,
    type: 'message',
    role: 'assistant',
    status,
    content: parts,
  })
  const place = { item_id: itemId, output_index: 0, content_index: 0 }

  return {
    begin: () => [
      event('response.created', { response: responseOf(identity, 'in_progress', [], undefined) }),
      event('response.in_progress', { response: responseOf(identity, 'in_progress', [], undefined) }),
      event('response.output_item.added', { output_index: 0, item: item('in_progress', []) }),
      event('response.content_part.added', { ...place, part: part('') }),
    ],
    piece: (text) => [event('response.output_text.delta', { ...place, delta: text, logprobs: [] })],
    end(text, summary) {
      const status = statusOf(summary)
      const done = item(status, [part(text)])
      return [
        event('response.output_text.done', { ...place, text, logprobs: [] }),
        event('response.content_part.done', { ...place, part: part(text) }),
        event('response.output_item.done', { output_index: 0, item: done }),
        event(`response.${status}`, { response: responseOf(identity, status, [done], summary) }),
      ]
    },
    whole(text, summary) {
      const status = statusOf(summary)
      return responseOf(identity, status, [item(status, [part(text)])], summary)
    },
  }
}

function statusOf(summary: GenerationSummary): 'incomplete' | 'completed' {
  return summary.finishReason === 'length' ? 'incomplete' : 'completed'
}

function responseOf(
  identity: { id: string; createdS: number; model: string },
  status: 'in_progress' | 'incomplete' | 'completed',
  output: object[],
  summary: GenerationSummary | undefined,
) {
  return {
    id: `resp_${identity.id}`,
    object: 'response',
    created_at: identity.createdS,
    status,
    error: null,
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    instructions: null,
    metadata: {},
    model: identity.model,
    output,
    parallel_tool_calls: false,
    temperature: null,
    tool_choice: 'none',
    tools: [],
    top_p: null,
    usage:
      summary === undefined
        ? null
        : {
            input_tokens: summary.promptTokens,
            input_tokens_details: { cached_tokens: 0 },
            output_tokens: summary.completionTokens,
            output_tokens_details: { reasoning_tokens: 0 },
            total_tokens: summary.promptTokens + summary.completionTokens,
          },
  }
}
