import { z } from 'zod'
import { hashOf } from './random.js'
import { commonFields, maybe, parseFields } from './request-fields.js'
import { toWords } from './words.js'

const DIMENSIONS = 256

const EmbeddingsSchema = z.object({
  model: commonFields.model,
  input: z.union([z.string(), z.array(z.string()).min(1).max(2048)]),
  encoding_format: maybe(z.enum(['float', 'base64'])),
  dimensions: maybe(z.number().int().min(1).max(4096)),
})

/** A request for embeddings that was understood. */
export interface EmbeddingsAsk {
  model: string
  answer(): unknown
}

/** `POST /v1/embeddings`. @throws AppError `missing_model`, `invalid_request` */
export function readEmbeddings(body: unknown): EmbeddingsAsk {
  const fields = parseFields(EmbeddingsSchema, body)
  const inputs = [fields.input].flat()
  return {
    model: fields.model,
    answer() {
      const tokens = inputs.reduce((sum, input) => sum + toWords(input).length, 0)
      return {
        object: 'list',
        data: inputs.map((input, index) => {
          const vector = embed(input, fields.dimensions ?? DIMENSIONS)
          const embedding = fields.encoding_format === 'base64' ? toBase64(vector) : [...vector]
          return { object: 'embedding', index, embedding }
        }),
        model: fields.model,
        usage: { prompt_tokens: tokens, total_tokens: tokens },
      }
    },
  }
}

/** A vector of length 1 in which each word counts at the place its hash gives: texts with common words are near. */
export function embed(text: string, dimensions: number): Float32Array {
  const vector = new Float32Array(dimensions)
  const words = toWords(text.toLowerCase())
  for (const word of words.length > 0 ? words : ['']) {
    const hash = hashOf(word)
    const place = hash % dimensions
    vector[place] = (vector[place] ?? 0) + ((hash >>> 16) % 2 === 0 ? 1 : -1)
  }
  const length = Math.hypot(...vector) || 1
  return vector.map((value) => value / length)
}

/** Little-endian 32-bit floats, as OpenAI's clients expect them. */
function toBase64(vector: Float32Array): string {
  const bytes = Buffer.alloc(vector.length * 4)
  vector.forEach((value, index) => bytes.writeFloatLE(value, index * 4))
  return bytes.toString('base64')
}
