import { type FactsRecord, MODEL_CAPABILITIES, type ModelFacts, toFactsRecord } from '#shared/model-facts.js'
import type { LocalModel, LocalService } from '../index.js'
import { canContinue } from './continuing.js'

/** Bytes that facts may take of a row, where its names leave so much: rows go round the whole network. */
export const FACTS_BUDGET_BYTES = 1024
/** `,"model_facts":[]` */
const FRAME_BYTES = 17

/** Names that leave no doubt; a server tells what a model is for only now and then. */
const KIND_BY_NAME: readonly (readonly [RegExp, NonNullable<ModelFacts['kind']>])[] = [
  [/rerank/i, 'rerank'],
  [/(?:^|[-_/.])(?:embed|embedding|embeddings)(?:$|[-_/.:\d])|(?:^|\/)(?:bge|gte|e5)-|all-minilm/i, 'embedding'],
  [/(?:^|[-_/.])(?:whisper|tts|kokoro|parakeet)(?:$|[-_/.:\d])/i, 'audio'],
  [/stable-diffusion|(?:^|[-_/.])(?:sdxl|flux|dall-e)(?:$|[-_/.:\d])/i, 'image'],
]

/** What is known of a model of this machine, as other nodes are told it. */
export function factsOf(model: LocalModel, service: Pick<LocalService, 'identityGroups'>): ModelFacts {
  const { id, contextLength, created, facts = {} } = model
  const { parameters, quantization, family, sizeBytes, digest, speed, capabilities: told = [] } = facts
  const kind = KIND_BY_NAME.find(([name]) => name.test(id))?.[1] ?? kindOf(told)
  const capabilities = MODEL_CAPABILITIES.filter((one) => told.includes(one))
  return {
    ...{ kind, contextTokens: contextLength, parameters, quantization, family, sizeBytes, digest, speed },
    ...(capabilities.length > 0 ? { capabilities } : {}),
    ...(canContinue(service, model) ? { continues: true } : {}),
    createdAt: created,
  }
}

/** Ollama’s words for it. */
function kindOf(capabilities: readonly string[]): ModelFacts['kind'] {
  if (capabilities.includes('completion')) return 'chat'
  return capabilities.includes('embedding') ? 'embedding' : undefined
}

/** What a row tells of those models of a service that it names, as far as there is room for it. */
export function factsRecords(
  service: LocalService,
  entries: readonly string[],
  roomBytes: number,
): { records: FactsRecord[]; bytes: number } {
  const records: FactsRecord[] = []
  let bytes = FRAME_BYTES
  for (const model of service.models) {
    const record = entries.includes(`model=${model.id}`) ? toFactsRecord(model.id, factsOf(model, service)) : undefined
    const size = record === undefined ? 0 : Buffer.byteLength(JSON.stringify(record)) + 1
    if (record === undefined || bytes + size > roomBytes) continue
    records.push(record)
    bytes += size
  }
  return { records, bytes: records.length === 0 ? 0 : bytes }
}
