import { z } from 'zod'

/** One model as its server names it. */
export interface ServerModel {
  id: string
  ownedBy: string | undefined
  created: number | undefined
  contextLength: number | undefined
}

const count = z.number().int().positive().optional().catch(undefined)
const label = z.string().max(200).optional().catch(undefined)

const EntrySchema = z.object({
  id: z.string(),
  owned_by: label,
  created: count,
  /** vLLM */
  max_model_len: count,
  /** LM Studio */
  max_context_length: count,
  /** several gateways */
  context_length: count,
  /** llama.cpp */
  meta: z.object({ n_ctx_train: count }).optional().catch(undefined),
})

/** What a gateway of this network writes beside each of its models. */
const GatewayEntrySchema = z.object({ ocf: z.object({ servers: z.array(z.string()) }) })

const entries = z.array(z.unknown())
// Ollama without a model answers `{"object":"list","data":null}`.
const emptyList = z.object({ object: z.literal('list'), data: z.null() }).transform((): unknown[] => [])
const ListSchema = z.union([z.object({ data: entries }).transform((list) => list.data), entries, emptyList])

/** A server's list of models. */
export interface ModelList {
  models: ServerModel[]
  /** Odd entries; they do not spoil the others. */
  unreadable: number
  /** It is a gateway's: sharing it would send requests in circles. */
  isGateway: boolean
}

/** The list of models in a server's answer, or undefined when the answer is no such list. */
export function parseModelList(body: string): ModelList | undefined {
  const list = ListSchema.safeParse(parseJson(body))
  if (!list.success) return undefined
  const models = list.data.flatMap((entry) => {
    const parsed = EntrySchema.safeParse(entry)
    return parsed.success ? [toServerModel(parsed.data)] : []
  })
  const isGateway = list.data.some((entry) => GatewayEntrySchema.safeParse(entry).success)
  return { models, unreadable: list.data.length - models.length, isGateway }
}

function toServerModel(entry: z.output<typeof EntrySchema>): ServerModel {
  return {
    id: entry.id,
    ownedBy: entry.owned_by,
    created: entry.created,
    contextLength: entry.max_model_len ?? entry.meta?.n_ctx_train ?? entry.max_context_length ?? entry.context_length,
  }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
