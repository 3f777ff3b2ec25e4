import { z } from 'zod'
import { type ModelSpeed, ModelSpeedSchema } from '#shared/model-facts.js'
import { parseJson } from '../registry/http-probe.js'

/** One model as its server names it, with what only some servers tell. */
export interface ListedModel {
  id: string
  ownedBy: string | undefined
  /** Unix seconds. */
  created: number | undefined
  /** Tokens. */
  contextLength: number | undefined
  quantisation: string | undefined
  sizeBytes: number | undefined
  /** `8.0B`, `360M` */
  parameters: string | undefined
  /** This program's own engine, where its owner has measured the model. */
  speed?: ModelSpeed
}

/** A server's list of models. */
export interface ModelList {
  models: ListedModel[]
  /** Entries that are odd, or beyond those that are read; they do not spoil the others. */
  unreadable: number
  /** It is a gateway's: sharing it would send requests in circles. */
  isGateway: boolean
}

/** The largest list of models that is read. */
export const MAX_MODEL_LIST_BYTES = 4 * 1024 * 1024

/** Entries that are read: each takes some microseconds, and of a service 200 are published at most. */
const MAX_ENTRIES = 2000

const whole = z.number().int().positive().optional().catch(undefined)
const positive = z.number().positive().optional().catch(undefined)
const label = z.string().max(200).optional().catch(undefined)

const EntrySchema = z.object({
  id: z.string().min(1).max(1024),
  owned_by: label,
  created: whole,
  quantization: label,
  /** vLLM */
  max_model_len: whole,
  /** LM Studio */
  max_context_length: whole,
  /** several gateways */
  context_length: whole,
  /** Lemonade, in GB */
  size: positive,
  /** llama.cpp, its size in bytes; `n_ctx` is what it serves, which its model may exceed */
  meta: z.object({ n_ctx: whole, n_ctx_train: whole, size: positive, n_params: positive }).optional().catch(undefined),
  speed: ModelSpeedSchema.optional().catch(undefined),
})

/** What a gateway of this network writes beside each of its models. */
const GatewayEntrySchema = z.object({ ocf: z.object({ servers: z.array(z.string()) }) })

/**
 * Gateways that are known by one time beside all of their models, and by no header: LiteLLM's proxy (1.110), One API and
 * what was made from it. They must be known by their list: what LiteLLM is asked next, `/health`, it answers by real
 * requests to every server behind it.
 */
const GATEWAY_CREATED: ReadonlySet<number | undefined> = new Set([1_677_610_602, 1_626_777_600])

const entries = z.array(z.unknown())
// Ollama without a model answers `{"object":"list","data":null}`.
const emptyList = z.object({ object: z.literal('list'), data: z.null() }).transform((): unknown[] => [])
const ListSchema = z.union([z.object({ data: entries }).transform((list) => list.data), entries, emptyList])

/** The list of models in a server's answer, or undefined when the answer is no such list. */
export function parseModelList(body: string): ModelList | undefined {
  const list = ListSchema.safeParse(parseJson(body)).data
  if (list === undefined) return undefined
  const read = list.slice(0, MAX_ENTRIES)
  const models = read.flatMap((entry) => {
    const parsed = EntrySchema.safeParse(entry).data
    return parsed === undefined ? [] : [toListedModel(parsed)]
  })
  const isStamped = models.length > 0 && models.every(({ created }) => GATEWAY_CREATED.has(created))
  const isGateway = isStamped || read.some((entry) => GatewayEntrySchema.safeParse(entry).success)
  return { models, unreadable: list.length - models.length, isGateway }
}

function toListedModel({ id, meta, ...entry }: z.output<typeof EntrySchema>): ListedModel {
  return {
    id,
    ownedBy: entry.owned_by,
    created: entry.created,
    contextLength:
      entry.max_model_len ?? meta?.n_ctx ?? meta?.n_ctx_train ?? entry.max_context_length ?? entry.context_length,
    quantisation: entry.quantization ?? quantisationIn(id),
    sizeBytes: meta?.size ?? (entry.size === undefined ? undefined : Math.round(entry.size * 1e9)),
    parameters: meta?.n_params === undefined ? undefined : billions(meta.n_params),
    ...(entry.speed === undefined ? {} : { speed: entry.speed }),
  }
}

/** `Q4_K_M` in `llama-3-8b.Q4_K_M.gguf`, `AWQ` in `Qwen2.5-7B-Instruct-AWQ`. */
function quantisationIn(name: string): string | undefined {
  const found =
    /(?:^|[-_.:/])((?:I?Q\d(?:_[A-Z0-9]+)*)|BF16|F(?:P)?16|F32|FP8|AWQ|GPTQ|MXFP4|NVFP4|INT[48])(?=$|[-_.:])/i.exec(
      name,
    )
  return found?.[1]?.toUpperCase()
}

function billions(parameters: number): string {
  return parameters >= 1e9 ? `${(parameters / 1e9).toFixed(1)}B` : `${Math.round(parameters / 1e6)}M`
}
