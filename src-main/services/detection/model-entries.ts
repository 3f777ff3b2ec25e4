import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { parseModelList } from '../registry/model-list.js'
import { parseJson } from './json.js'

/** One entry of a server's list of models, with what only some servers tell. */
export interface ModelEntry {
  id: string
  ownedBy: string | undefined
  hasCreated: boolean
  contextLength: number | undefined
  quantisation: string | undefined
  sizeBytes: number | undefined
  parameters: string | undefined
}

/** A list of models as it was answered. */
export interface SeenList {
  /** Where it was: `/v1/models`, `/engines/v1/models`, `/api/v1/models`. */
  path: string
  headers: IncomingHttpHeaders
  entries: readonly ModelEntry[]
  isGateway: boolean
}

/** Entries that are shown; a server with more is still found. */
const MAX_ENTRIES = 1000

const count = z.number().positive().optional().catch(undefined)
const label = z.string().max(200).optional().catch(undefined)

const EntrySchema = z.object({
  id: z.string().min(1).max(1024),
  owned_by: label,
  created: z.unknown().optional(),
  quantization: label,
  /** Lemonade, in GB. */
  size: count,
  /** llama.cpp, in bytes. */
  meta: z.object({ size: count, n_params: count }).optional().catch(undefined),
})
const ListSchema = z.union([
  z.object({ data: z.array(z.unknown()) }).transform(({ data }) => data),
  z.array(z.unknown()),
])

/** The list in an answer's body, or undefined when it is no list of models. */
export function readEntries(path: string, body: string, headers: IncomingHttpHeaders): SeenList | undefined {
  const list = parseModelList(body)
  if (list === undefined) return undefined
  const contexts = new Map(list.models.map(({ id, contextLength }) => [id, contextLength]))
  const raw = ListSchema.safeParse(parseJson(body)).data ?? []
  const entries = raw.slice(0, MAX_ENTRIES).flatMap((value): ModelEntry[] => {
    const entry = EntrySchema.safeParse(value).data
    if (entry === undefined) return []
    const { id, meta } = entry
    return [
      {
        id,
        ownedBy: entry.owned_by,
        hasCreated: entry.created !== undefined,
        contextLength: contexts.get(id),
        quantisation: entry.quantization ?? quantisationIn(id),
        sizeBytes: meta?.size ?? (entry.size === undefined ? undefined : Math.round(entry.size * 1e9)),
        parameters: meta?.n_params === undefined ? undefined : billions(meta.n_params),
      },
    ]
  })
  // A list of things that are no models is no list of models.
  if (raw.length > 0 && entries.length === 0) return undefined
  return { path, headers, entries, isGateway: list.isGateway }
}

/** `Q4_K_M` in `llama-3-8b.Q4_K_M.gguf`, `AWQ` in `Qwen2.5-7B-Instruct-AWQ`. */
export function quantisationIn(name: string): string | undefined {
  const found =
    /(?:^|[-_.:/])((?:I?Q\d(?:_[A-Z0-9]+)*)|BF16|F(?:P)?16|F32|FP8|AWQ|GPTQ|MXFP4|NVFP4|INT[48])(?=$|[-_.:])/i.exec(
      name,
    )
  return found?.[1]?.toUpperCase()
}

function billions(parameters: number): string {
  return parameters >= 1e9 ? `${(parameters / 1e9).toFixed(1)}B` : `${Math.round(parameters / 1e6)}M`
}
