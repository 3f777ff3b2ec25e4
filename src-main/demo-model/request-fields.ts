import { randomInt } from 'node:crypto'
import { AppError } from '#shared/errors.js'
import { z } from 'zod'

/** A field that may also be `null`, which several clients send for "not given". */
export const maybe = <T extends z.ZodType>(type: T) => type.nullish().transform((value) => value ?? undefined)

const part = z.object({ text: z.string().optional() })

/** Text, or a list of parts of which the texts count. */
export const content = z
  .union([z.string(), z.array(part), z.null()])
  .optional()
  .transform((value) => (Array.isArray(value) ? value.map((item) => item.text ?? '').join(' ') : (value ?? '')))

/** What all of the interfaces share. */
export const commonFields = {
  model: z.string({ error: 'is missing' }).min(1),
  stream: maybe(z.boolean()),
  temperature: maybe(z.number().min(0).max(2)),
  seed: maybe(z.number().int()),
  /** As vLLM: write until the limit of tokens. */
  ignore_eos: maybe(z.boolean()),
}

/** A limit of tokens. */
export const tokenLimit = maybe(z.number().int().min(1).max(1_000_000))

/** One stop text or several. */
export const stopTexts = maybe(z.union([z.string(), z.array(z.string()).max(16)])).transform((stop) =>
  stop === undefined ? [] : [stop].flat(),
)

/** More than one answer per request is not offered. */
export const oneAnswer = maybe(z.literal(1, { error: 'must be 1' }))

/** The sampling wishes as the generator takes them; without a seed each answer is another. */
export function samplingOf(fields: { temperature?: number; seed?: number; ignore_eos?: boolean }) {
  return {
    temperature: fields.temperature ?? 0.8,
    seed: fields.seed ?? randomInt(2 ** 31),
    endless: fields.ignore_eos ?? false,
  }
}

/**
 * The body as the schema understands it.
 * @throws AppError `missing_model` or `invalid_request`, with the field at fault
 */
export function parseFields<T extends z.ZodType>(schema: T, body: unknown): z.output<T> {
  const parsed = schema.safeParse(body)
  if (parsed.success) return parsed.data
  const issue = parsed.error.issues[0]
  const param = issue?.path.join('.') ?? ''
  throw new AppError(
    param === 'model' ? 'missing_model' : 'invalid_request',
    `${param || 'the body'}: ${issue?.message ?? ''}`,
    {
      param,
    },
  )
}
