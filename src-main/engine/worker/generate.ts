import { AppError } from '#shared/errors.js'
import type { AnswerUsage, CalledTool, FinishReason } from './answers.js'
import type { Grammar, Token } from './library.js'
import type { Loaded } from './load.js'
import { readPrompt } from './prompt.js'
import type { Asked, AskedChat } from './requests.js'
import type { Slot } from './slots.js'

/** What is told while an answer is written. */
export interface AnswerSink {
  text: (text: string) => void
  reasoning: (text: string) => void
}

/** How an answer ended. */
export interface Answered {
  reason: FinishReason
  tools: CalledTool[]
  usage: AnswerUsage
}

/** Writes the answer to a chat. Rejects with the signal's reason as soon as it aborts; the slot is free then. */
export async function answerChat(
  loaded: Loaded,
  asked: AskedChat,
  sink: AnswerSink,
  signal: AbortSignal,
): Promise<Answered> {
  const { library, wrapper, model } = loaded
  const { history, functions } = asked
  const documented = functions === undefined ? {} : { availableFunctions: functions, documentFunctionParams: true }
  const tokens = wrapper
    .generateContextState({ chatHistory: history, ...documented })
    .contextText.tokenize(model.tokenizer)
  const grammar = await grammarOf(loaded, asked.format)
  return inSlot(loaded, asked, tokens, signal, async (slot, options) => {
    const chat = new library.LlamaChat({ contextSequence: slot.sequence, chatWrapper: wrapper })
    try {
      const { functionCalls = [], metadata } = await chat.generateResponse(history, {
        ...options,
        ...(grammar === undefined ? {} : { grammar }),
        ...(functions === undefined ? {} : { functions, documentFunctionParams: true }),
        ...(asked.maxParallelCalls === undefined ? {} : { maxParallelFunctionCalls: asked.maxParallelCalls }),
        onResponseChunk: ({ type, text }) => {
          if (text !== '') (type === 'segment' ? sink.reasoning : sink.text)(text)
        },
      })
      const tools = functionCalls.map(({ functionName, params }) => ({
        name: functionName,
        arguments: JSON.stringify(params ?? {}),
      }))
      return { reason: tools.length > 0 ? 'tool_calls' : reasonOf(metadata.stopReason), tools }
    } finally {
      chat.dispose()
    }
  })
}

/** Goes on with a text. */
export async function answerCompletion(
  loaded: Loaded,
  asked: Asked & { prompt: string },
  sink: AnswerSink,
  signal: AbortSignal,
): Promise<Answered> {
  const { library, model } = loaded
  const { bos, shouldPrependBosToken } = model.tokens
  const tokens = [...(shouldPrependBosToken && bos !== null ? [bos] : []), ...model.tokenize(asked.prompt)]
  return inSlot(loaded, asked, tokens, signal, async (slot, options) => {
    const completion = new library.LlamaCompletion({ contextSequence: slot.sequence })
    try {
      const { metadata } = await completion.generateCompletionWithMeta(tokens, {
        ...options,
        disableContextShift: true,
        onTextChunk: sink.text,
      })
      return { reason: reasonOf(metadata.stopReason), tools: [] }
    } finally {
      completion.dispose()
    }
  })
}

type Options = Asked['sampling'] & { signal: AbortSignal; maxTokens: number; customStopTriggers: readonly string[] }

async function inSlot(
  loaded: Loaded,
  asked: Asked,
  tokens: Token[],
  signal: AbortSignal,
  generate: (slot: Slot, options: Options) => Promise<Omit<Answered, 'usage'>>,
): Promise<Answered> {
  // The context of a model shifts where it is full, and forgets the beginning; what does not fit is refused instead.
  const room = loaded.contextTokens - tokens.length - 1
  if (room < 1) {
    throw new AppError(
      'context_length_exceeded',
      `The prompt has ${tokens.length} tokens, and this model is served with ${loaded.contextTokens}.`,
      { param: 'messages' },
    )
  }
  const slot = await loaded.slots.acquire(tokens, signal)
  try {
    const startedMs = performance.now()
    const anew = await readPrompt(slot.sequence, tokens, signal)
    const before = slot.sequence.tokenMeter.usedOutputTokens
    const readMs = performance.now()
    const { reason, tools } = await generate(slot, {
      ...{ ...asked.sampling, signal, customStopTriggers: asked.stop },
      maxTokens: Math.min(asked.maxTokens ?? room, room),
    })
    return {
      ...{ reason, tools },
      usage: {
        promptTokens: tokens.length,
        cachedTokens: Math.max(0, tokens.length - 1 - anew),
        completionTokens: slot.sequence.tokenMeter.usedOutputTokens - before,
        promptMs: readMs - startedMs,
        completionMs: performance.now() - readMs,
      },
    }
  } finally {
    slot.release()
  }
}

function reasonOf(stopReason: string): FinishReason {
  return stopReason === 'maxTokens' ? 'length' : 'stop'
}

async function grammarOf(loaded: Loaded, format: AskedChat['format']): Promise<Grammar | undefined> {
  if (format.type === 'text') return undefined
  if (format.type === 'json_object') return loaded.llama.getGrammarFor('json')
  try {
    return await loaded.llama.createGrammarForJsonSchema(format.json_schema.schema)
  } catch (cause) {
    throw new AppError('unsupported_request', 'The engine can’t keep an answer to this JSON schema.', {
      param: 'response_format',
      cause,
    })
  }
}
