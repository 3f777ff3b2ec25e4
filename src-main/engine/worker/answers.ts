import { randomUUID } from 'node:crypto'

/** How much was read and written, and how long it took. Times in milliseconds. */
export interface AnswerUsage {
  promptTokens: number
  /** Of these what a slot had read before. */
  cachedTokens: number
  completionTokens: number
  promptMs: number
  completionMs: number
}

/** A tool that the model calls. */
export interface CalledTool {
  name: string
  /** JSON. */
  arguments: string
}

/** Why an answer ended, in OpenAI's words. */
export type FinishReason = 'stop' | 'length' | 'tool_calls'

/** The documents and events of one answer. */
export interface AnswerForms {
  text(text: string): object
  reasoning(text: string): object
  end(reason: FinishReason, tools: readonly CalledTool[]): object
  usage(usage: AnswerUsage): object
  whole(
    said: { text: string; reasoning: string; reason: FinishReason; tools: readonly CalledTool[] },
    usage: AnswerUsage,
  ): object
}

/** As `POST /v1/chat/completions` answers. */
export function chatForms(model: string): AnswerForms {
  const base = baseOf('chatcmpl', model)
  const chunk = (delta: object, reason: FinishReason | null = null): object => ({
    ...base,
    object: 'chat.completion.chunk',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: reason }],
  })
  const calls = (tools: readonly CalledTool[]): object[] =>
    tools.map(({ name, arguments: text }, index) => ({
      ...{ index, id: `call_${randomUUID().replaceAll('-', '').slice(0, 24)}` },
      ...{ type: 'function', function: { name, arguments: text } },
    }))
  return {
    text: (content) => chunk({ role: 'assistant', content }),
    reasoning: (text) => chunk({ role: 'assistant', reasoning_content: text }),
    end: (reason, tools) => chunk(tools.length === 0 ? {} : { tool_calls: calls(tools) }, reason),
    usage: (usage) => ({ ...base, object: 'chat.completion.chunk', choices: [], ...figures(usage) }),
    whole({ text, reasoning, reason, tools }, usage) {
      const message = {
        role: 'assistant',
        content: tools.length > 0 && text === '' ? null : text,
        ...(reasoning === '' ? {} : { reasoning_content: reasoning }),
        ...(tools.length === 0 ? {} : { tool_calls: calls(tools) }),
        refusal: null,
      }
      const choices = [{ index: 0, message, logprobs: null, finish_reason: reason }]
      return { ...base, object: 'chat.completion', choices, ...figures(usage) }
    },
  }
}

/** As `POST /v1/completions` answers. */
export function completionForms(model: string): AnswerForms {
  const base = { ...baseOf('cmpl', model), object: 'text_completion' }
  const chunk = (text: string, reason: FinishReason | null = null): object => ({
    ...base,
    choices: [{ index: 0, text, logprobs: null, finish_reason: reason }],
  })
  return {
    text: (text) => chunk(text),
    reasoning: (text) => chunk(text),
    end: (reason) => chunk('', reason),
    usage: (usage) => ({ ...base, choices: [], ...figures(usage) }),
    whole: ({ text, reason }, usage) => ({ ...chunk(text, reason), ...figures(usage) }),
  }
}

function baseOf(prefix: string, model: string): { id: string; created: number; model: string } {
  return { id: `${prefix}-${randomUUID().replaceAll('-', '')}`, created: Math.floor(Date.now() / 1000), model }
}

/** Usage as OpenAI counts it, and times as llama.cpp's server tells them. */
function figures(usage: AnswerUsage): object {
  const { promptTokens, cachedTokens, completionTokens, promptMs, completionMs } = usage
  return {
    usage: {
      prompt_tokens: promptTokens,
      completion_tokens: completionTokens,
      total_tokens: promptTokens + completionTokens,
      prompt_tokens_details: { cached_tokens: cachedTokens },
    },
    timings: {
      cache_n: cachedTokens,
      prompt_n: promptTokens - cachedTokens,
      prompt_ms: promptMs,
      predicted_n: completionTokens,
      predicted_ms: completionMs,
    },
  }
}
