import type { Client } from '#shared/contract/client.js'
import { AppError } from '#shared/errors.js'
import { strings } from '../strings.js'
import { gatewayOf, refusal } from './chats/ask.js'

/** What a model made of some texts. */
export interface Embeddings {
  /** One for each text. */
  vectors: readonly (readonly number[])[]
  /** From asking to the answer. */
  ms: number
}

/** Has the gateway embed some texts. Throws an `AppError` that says why it did not. */
export async function embed(
  client: Pick<Client, 'call'>,
  model: string,
  input: readonly string[],
): Promise<Embeddings> {
  const { baseUrl, key } = await gatewayOf(client)
  const startedAt = performance.now()
  const response = await fetch(`${baseUrl}/embeddings`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...(key === null ? {} : { Authorization: `Bearer ${key}` }) },
    body: JSON.stringify({ model, input }),
  })
  if (!response.ok) throw await refusal(response)
  const vectors = vectorsIn(await response.json())
  if (vectors?.length !== input.length) throw new AppError('upstream_failed', strings.models.embed.odd)
  return { vectors, ms: performance.now() - startedAt }
}

/** How alike two vectors are: 1 for the same direction, 0 for nothing in common. */
export function likeness(a: readonly number[], b: readonly number[]): number {
  const dot = a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0)
  const length = Math.hypot(...a) * Math.hypot(...b)
  return length === 0 ? 0 : dot / length
}

/** Undefined for what is no list of embeddings. */
function vectorsIn(body: unknown): number[][] | undefined {
  const data = body !== null && typeof body === 'object' && 'data' in body ? body.data : undefined
  if (!Array.isArray(data)) return undefined
  const vectors = data.map((one: unknown) =>
    one !== null && typeof one === 'object' && 'embedding' in one ? one.embedding : undefined,
  )
  return vectors.every(isVector) ? vectors : undefined
}

function isVector(value: unknown): value is number[] {
  return Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'number')
}
