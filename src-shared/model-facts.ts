import { z } from 'zod'

/** What a model can do besides answering. */
export const MODEL_CAPABILITIES = ['tools', 'vision', 'thinking'] as const
type Capability = (typeof MODEL_CAPABILITIES)[number]
const isCapability = (name: string): name is Capability => MODEL_CAPABILITIES.some((one) => one === name)

/** A short word that may be shown as it is. */
const word = z
  .string()
  .regex(/^[\w.+:/-]{1,32}$/)
  .optional()
  .catch(undefined)
const whole = (max: number) => z.number().int().positive().max(max).optional().catch(undefined)

const fields = {
  kind: z.enum(['chat', 'embedding', 'rerank', 'image', 'audio']).optional().catch(undefined),
  parameters: word,
  quantization: word,
  family: word,
  digest: z
    .string()
    .regex(/^[\da-f]{12,64}$/)
    .optional()
    .catch(undefined),
  capabilities: z
    .array(z.string())
    .max(16)
    .transform((names) => names.filter(isCapability))
    .optional()
    .catch(undefined),
  /** Its server can go on with an answer that another one began. */
  continues: z.literal(true).optional().catch(undefined),
}

/** How fast a model is where it runs, as its owner measured it. */
export const ModelSpeedSchema = z.object({
  /** Milliseconds for 1,000 tokens of a prompt. */
  promptMsPer1000: z.number().positive().max(1e8),
  tokensPerS: z.number().positive().max(1e6),
})
/** How fast a model is where it runs, as its owner measured it: for others no more than a first guess. */
export type ModelSpeed = z.output<typeof ModelSpeedSchema>

/** The facts of one model as a row of the node table tells them: what is odd in them is left out, never the row. */
const FactsRecordSchema = z.object({
  model: z.string().min(1).max(256),
  ...fields,
  /** Tokens. */
  context: whole(1e9),
  /** Bytes. */
  size: whole(1e15),
  /** Unix seconds. */
  created: whole(1e10),
  speed: ModelSpeedSchema.optional().catch(undefined),
})

/** The facts of one model in a row. */
export type FactsRecord = z.output<typeof FactsRecordSchema>

/** The facts of a service's models in a row; older nodes tell none. */
export const FactsRecordsSchema = z.array(FactsRecordSchema).max(64).optional().catch(undefined)

/** What is known of a model beside its name; each only where its server, or for `kind` its name, tells it. */
export interface ModelFacts {
  kind?: FactsRecord['kind']
  /** Tokens that the server takes in one request, answer included. */
  contextTokens?: number | undefined
  /** `8.0B`, `360M` */
  parameters?: string | undefined
  /** `Q4_K_M` */
  quantization?: string | undefined
  /** `llama`, `qwen2` */
  family?: string | undefined
  sizeBytes?: number | undefined
  /** Hexadecimal digits: of another peer's model the first 16. */
  digest?: string | undefined
  capabilities?: readonly Capability[] | undefined
  /** Its server can go on with an answer that another one began. */
  continues?: true | undefined
  /** Unix seconds. */
  createdAt?: number | undefined
  speed?: ModelSpeed | undefined
}

/** Digits of a digest that a row tells: Ollama shows 12. */
const DIGEST_DIGITS = 16

/** A digest in the length in which rows tell it, without the name of its kind. */
export function shortDigest(digest: string | undefined): string | undefined {
  return digest?.replace(/^sha256:/, '').slice(0, DIGEST_DIGITS)
}

/** Facts as a row tells them; undefined where there are none. */
export function toFactsRecord(model: string, facts: ModelFacts): FactsRecord | undefined {
  const { contextTokens: context, sizeBytes: size, createdAt: created, ...same } = facts
  const digest = shortDigest(same.digest)
  const record = FactsRecordSchema.safeParse({ model, ...same, digest, context, size, created }).data
  if (record === undefined) return undefined
  const { capabilities, ...told } = record
  const all = { ...told, ...(capabilities !== undefined && capabilities.length > 0 ? { capabilities } : {}) }
  return Object.values<unknown>(all).filter((value) => value !== undefined).length > 1 ? all : undefined
}

/** What services tell of their models, by id; of a model that several have what the first of them tells. */
export function factsIn(
  services: readonly { readonly model_facts?: readonly FactsRecord[] | undefined }[],
): ReadonlyMap<string, ModelFacts> {
  const all = new Map<string, ModelFacts>()
  for (const { model, context, size, created, ...same } of services.flatMap((service) => service.model_facts ?? [])) {
    if (!all.has(model)) all.set(model, { ...same, contextTokens: context, sizeBytes: size, createdAt: created })
  }
  return all
}
