import type { GgufHeader } from './header.js'

/** What the header of a model file tells of the model; undefined for what it does not tell. */
export interface ModelFileFacts {
  architecture: string
  /** `general.name`; not made for being shown to others. */
  title: string | undefined
  /** Weights in this file. */
  weights: number
  /** Tokens it was trained on. */
  contextTokens: number | undefined
  quantisation: string | undefined
  hasChatTemplate: boolean
  /** `model`; a `projector` gives another one eyes, `other` is an adapter or the like. */
  role: 'model' | 'projector' | 'other'
  /** It makes vectors of texts instead of answers. */
  isEmbedding: boolean
  layers: number | undefined
  /** Bytes that one token takes in the KV cache at 16 bits; undefined where the header tells too little. */
  cacheBytesPerToken: number | undefined
}

/** llama.h, `enum llama_ftype`: what most tensors are stored as. */
const QUANTISATIONS: Readonly<Record<number, string>> = {
  ...{ 0: 'F32', 1: 'F16', 2: 'Q4_0', 3: 'Q4_1', 7: 'Q8_0', 8: 'Q5_0', 9: 'Q5_1', 10: 'Q2_K', 11: 'Q3_K_S' },
  ...{ 12: 'Q3_K_M', 13: 'Q3_K_L', 14: 'Q4_K_S', 15: 'Q4_K_M', 16: 'Q5_K_S', 17: 'Q5_K_M', 18: 'Q6_K' },
  ...{ 19: 'IQ2_XXS', 20: 'IQ2_XS', 21: 'Q2_K_S', 22: 'IQ3_XS', 23: 'IQ3_XXS', 24: 'IQ1_S', 25: 'IQ4_NL' },
  ...{ 26: 'IQ3_S', 27: 'IQ3_M', 28: 'IQ2_S', 29: 'IQ2_M', 30: 'IQ4_XS', 31: 'IQ1_M', 32: 'BF16' },
  ...{ 36: 'TQ1_0', 37: 'TQ2_0', 38: 'MXFP4' },
}

/** Architectures of models that read and never write. */
const EMBEDDING_ARCHITECTURES = /^(?:bert|nomic-bert|jina-bert|neo-bert|modern-bert|t5encoder|gemma-embedding)/

/** Reads the facts out of a header. */
export function factsOfHeader({ values, weights }: GgufHeader): ModelFileFacts {
  const text = (key: string): string | undefined => {
    const value = values.get(key)
    return typeof value === 'string' && value !== '' ? printable(value) : undefined
  }
  const architecture = text('general.architecture') ?? 'unknown'
  const number = (key: string): number | undefined => {
    const value = values.get(`${architecture}.${key}`)
    return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined
  }
  const fileType = values.get('general.file_type')
  const layers = number('block_count')
  return {
    architecture,
    title: text('general.name'),
    weights,
    contextTokens: number('context_length'),
    quantisation: typeof fileType === 'number' ? QUANTISATIONS[fileType] : undefined,
    hasChatTemplate: values.has('tokenizer.chat_template'),
    role: roleOf(architecture, text('general.type')),
    isEmbedding:
      EMBEDDING_ARCHITECTURES.test(architecture) ||
      (number('pooling_type') !== undefined && !values.has('tokenizer.chat_template')),
    layers,
    cacheBytesPerToken: cacheBytes(layers, number),
  }
}

function roleOf(architecture: string, type: string | undefined): ModelFileFacts['role'] {
  if (architecture === 'clip' || type === 'mmproj') return 'projector'
  return type === undefined || type === 'model' ? 'model' : 'other'
}

/** Keys and values of each layer, two bytes each. */
function cacheBytes(layers: number | undefined, number: (key: string) => number | undefined): number | undefined {
  const width = number('embedding_length')
  const heads = number('attention.head_count')
  if (layers === undefined || width === undefined || heads === undefined) return undefined
  const cacheHeads = number('attention.head_count_kv') ?? heads
  const keyLength = number('attention.key_length') ?? width / heads
  const valueLength = number('attention.value_length') ?? width / heads
  return Math.ceil(layers * cacheHeads * (keyLength + valueLength) * 2)
}

const MAX_LABEL_CHARS = 120

/** A text of a file as it may stand on a screen. */
function printable(value: string): string {
  return value.replaceAll(/[\p{Cc}\p{Cf}]/gu, ' ').slice(0, MAX_LABEL_CHARS)
}
