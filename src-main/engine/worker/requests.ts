import { z } from 'zod'
import { AppError } from '#shared/errors.js'
import type { Functions, HistoryItem } from './library.js'

const maybe = <T extends z.ZodType>(type: T) => type.nullish().transform((value) => value ?? undefined)
const tokenLimit = maybe(z.number().int().min(1).max(10_000_000))

const commonFields = {
  model: z.string({ error: 'is missing' }).min(1),
  stream: maybe(z.boolean()),
  stream_options: maybe(z.object({ include_usage: maybe(z.boolean()) })),
  max_tokens: tokenLimit,
  max_completion_tokens: tokenLimit,
  stop: maybe(z.union([z.string(), z.array(z.string().min(1)).max(16)])),
  temperature: maybe(z.number().min(0).max(2)),
  top_p: maybe(z.number().min(0).max(1)),
  top_k: maybe(z.number().int().min(0)),
  min_p: maybe(z.number().min(0).max(1)),
  seed: maybe(z.number().int()),
  frequency_penalty: maybe(z.number().min(-2).max(2)),
  presence_penalty: maybe(z.number().min(-2).max(2)),
  n: maybe(z.literal(1, { error: 'must be 1' })),
}

const PartSchema = z.object({ type: z.string().optional(), text: z.string().optional() })
const ToolCallSchema = z.object({
  id: z.string().max(200),
  function: z.object({ name: z.string().max(200), arguments: z.string() }),
})
const MessageSchema = z.object({
  role: z.enum(['system', 'developer', 'user', 'assistant', 'tool', 'function']),
  content: z.union([z.string(), z.array(PartSchema).max(1000), z.null()]).optional(),
  tool_calls: maybe(z.array(ToolCallSchema).max(128)),
  tool_call_id: maybe(z.string().max(200)),
})
type Message = z.output<typeof MessageSchema>

const ToolSchema = z.object({
  type: z.literal('function'),
  function: z.object({
    name: z.string().min(1).max(200),
    description: maybe(z.string()),
    parameters: maybe(z.record(z.string(), z.unknown())),
  }),
})

const FormatSchema = z.union([
  z.object({ type: z.literal('text') }),
  z.object({ type: z.literal('json_object') }),
  z.object({ type: z.literal('json_schema'), json_schema: z.object({ schema: z.record(z.string(), z.unknown()) }) }),
])

const ChatSchema = z.object({
  ...commonFields,
  messages: z.array(MessageSchema).min(1).max(10_000),
  tools: maybe(z.array(ToolSchema).max(256)),
  tool_choice: maybe(z.union([z.enum(['none', 'auto', 'required']), z.object({ type: z.string() })])),
  parallel_tool_calls: maybe(z.boolean()),
  response_format: maybe(FormatSchema),
  logprobs: maybe(z.boolean()),
})

const CompletionSchema = z.object({
  ...commonFields,
  prompt: z.union([z.string(), z.tuple([z.string()], { error: 'only one prompt per request is offered' })]),
})

const EmbeddingSchema = z.object({
  model: z.string({ error: 'is missing' }).min(1),
  input: z.union([z.string().min(1), z.array(z.string().min(1)).min(1).max(2048)]),
  encoding_format: maybe(z.enum(['float', 'base64'])),
})

/** What both ways of asking have in common. */
export interface Asked {
  model: string
  stream: boolean
  withUsage: boolean
  /** Undefined: as many as there is room for. */
  maxTokens: number | undefined
  stop: string[]
  sampling: {
    temperature: number
    topP?: number
    topK?: number
    minP?: number
    seed?: number
    repeatPenalty: false | { penalty: number; frequencyPenalty: number; presencePenalty: number }
  }
}

/** A chat as the engine takes it. */
export interface AskedChat extends Asked {
  history: HistoryItem[]
  functions: Functions | undefined
  maxParallelCalls: number | undefined
  format: z.output<typeof FormatSchema>
}

/** `POST /v1/chat/completions`. @throws AppError `missing_model`, `invalid_request`, `unsupported_request` */
export function readChatRequest(body: unknown): AskedChat {
  const fields = parse(ChatSchema, body)
  const { tools, tool_choice: choice, response_format: format = { type: 'text' } } = fields
  if (fields.logprobs === true) throw unsupported('logprobs')
  // The engine lets a model call a tool or not; it has no way to make it.
  if (choice !== undefined && choice !== 'none' && choice !== 'auto') throw unsupported('tool_choice')
  const wanted = choice === 'none' ? [] : (tools ?? [])
  if (wanted.length > 0 && format.type !== 'text') throw unsupported('response_format together with tools')
  const functions = Object.fromEntries(
    wanted.map(({ function: { name, description, parameters } }) => [
      name,
      {
        ...(description === undefined ? {} : { description }),
        ...(parameters === undefined ? {} : { params: parameters }),
      },
    ]),
  )
  return {
    ...commonOf(fields),
    history: historyOf(fields.messages),
    functions: wanted.length > 0 ? functions : undefined,
    maxParallelCalls: fields.parallel_tool_calls === false ? 1 : undefined,
    format,
  }
}

/** `POST /v1/completions`. @throws AppError `missing_model`, `invalid_request` */
export function readCompletionRequest(body: unknown): Asked & { prompt: string } {
  const fields = parse(CompletionSchema, body)
  return { ...commonOf(fields), prompt: [fields.prompt].flat().join('') }
}

/** `POST /v1/embeddings`. @throws AppError `missing_model`, `invalid_request` */
export function readEmbeddingRequest(body: unknown): { model: string; input: string[]; base64: boolean } {
  const { model, input, encoding_format: format } = parse(EmbeddingSchema, body)
  return { model, input: [input].flat(), base64: format === 'base64' }
}

function commonOf(fields: z.output<z.ZodObject<typeof commonFields>>): Asked {
  const {
    top_p: topP,
    top_k: topK,
    min_p: minP,
    seed,
    frequency_penalty: frequency,
    presence_penalty: presence,
  } = fields
  return {
    model: fields.model,
    stream: fields.stream ?? false,
    withUsage: fields.stream_options?.include_usage === true,
    maxTokens: fields.max_completion_tokens ?? fields.max_tokens,
    stop: [fields.stop ?? []].flat(),
    sampling: {
      temperature: fields.temperature ?? 0.8,
      ...(topP === undefined ? {} : { topP }),
      ...(topK === undefined ? {} : { topK }),
      ...(minP === undefined ? {} : { minP }),
      ...(seed === undefined ? {} : { seed }),
      repeatPenalty:
        (frequency ?? 0) === 0 && (presence ?? 0) === 0
          ? false
          : { penalty: 1, frequencyPenalty: frequency ?? 0, presencePenalty: presence ?? 0 },
    },
  }
}

/**
 * OpenAI's messages as the engine's history: what tools gave stands with the call, and what the model said in a row is one
 * item. It ends with an empty answer, which is the one to be written.
 */
function historyOf(messages: readonly Message[]): HistoryItem[] {
  const results = new Map<string, string>()
  for (const message of messages) {
    if (message.tool_call_id !== undefined) results.set(message.tool_call_id, textOf(message))
  }
  const history: HistoryItem[] = []
  const modelsItem = (): Extract<HistoryItem, { type: 'model' }> => {
    const last = history.at(-1)
    if (last?.type === 'model') return last
    const item = { type: 'model' as const, response: [] }
    history.push(item)
    return item
  }
  for (const message of messages) {
    if (message.role === 'tool' || message.role === 'function') continue
    const text = textOf(message)
    if (message.role !== 'assistant') {
      history.push({ type: message.role === 'user' ? 'user' : 'system', text })
      continue
    }
    const { response } = modelsItem()
    if (text !== '') response.push(text)
    for (const { id, function: called } of message.tool_calls ?? []) {
      const result = results.get(id) ?? ''
      response.push({
        type: 'functionCall',
        name: called.name,
        params: jsonOr(called.arguments),
        result: jsonOr(result),
      })
    }
  }
  modelsItem()
  return history
}

function textOf({ content }: Message): string {
  if (!Array.isArray(content)) return content ?? ''
  if (content.some(({ type, text }) => type !== 'text' && text === undefined))
    throw unsupported('content other than text')
  return content.map(({ text }) => text ?? '').join('')
}

function jsonOr(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return text
    throw error
  }
}

function unsupported(what: string): AppError {
  return new AppError('unsupported_request', `The built-in engine does not take ${what}.`)
}

function parse<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const param = issue?.path.join('.') ?? ''
  const code = param === 'model' ? 'missing_model' : 'invalid_request'
  throw new AppError(code, `${param || 'the body'}: ${issue?.message ?? ''}`, param === '' ? {} : { param })
}
