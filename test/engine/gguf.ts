/** A value of GGUF metadata with the type it is written as. */
type Meta =
  | { type: 'u32' | 'f32' | 'bool'; value: number }
  | { type: 'string'; value: string }
  | { type: 'strings'; value: readonly string[] }
  | { type: 'f32s' | 'i32s'; value: readonly number[] }

const WIDTH = 64
const LAYERS = 2
const HEADS = 4
const INNER = 128
/** More than a tool in a prompt takes, byte by byte; who loads it may serve less. */
const CONTEXT = 8192
const ALIGNMENT = 32

/** Special tokens, every byte, and a few pieces so that an answer looks like words. */
const SPECIAL = ['<unk>', '<s>', '</s>']
const BYTES = Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`)
const PIECES = ['▁', ...'abcdefghijklmnopqrstuvwxyz.,'.split(''), '▁the', '▁a', '▁of', '▁and', 'er', 'in', 'on', 'en']
const TOKENS = [...SPECIAL, ...BYTES, ...PIECES]

/** A GGUF file (version 3) of a Llama with two tiny layers, random weights and a tokenizer. About 400 KB. */
export function tinyModel(seed = 1): Buffer {
  const tensors = tensorsOf()
  let offset = 0
  const infos = tensors.map(({ name, shape }) => {
    const info = Buffer.concat([text(name), u32(shape.length), ...shape.map(u64), u32(0), u64(offset)])
    offset += padded(sizeOf(shape))
    return info
  })
  const meta = Object.entries(METADATA).map(([key, value]) => Buffer.concat([text(key), written(value)]))
  const head = Buffer.concat([
    Buffer.from('GGUF'),
    ...[u32(3), u64(tensors.length), u64(meta.length)],
    ...[...meta, ...infos],
  ])
  const random = randomFrom(seed)
  const data = tensors.map(({ name, shape }) => {
    const bytes = Buffer.alloc(padded(sizeOf(shape)))
    const isNorm = name.endsWith('norm.weight')
    for (let at = 0; at < sizeOf(shape); at += 4) bytes.writeFloatLE(isNorm ? 1 : (random() - 0.5) * 0.4, at)
    // No word ends the answer: it has as many tokens as were asked for.
    if (name === 'output.weight')
      for (let token = 0; token < 3; token += 1) bytes.fill(0, token * WIDTH * 4, (token + 1) * WIDTH * 4)
    return bytes
  })
  return Buffer.concat([head, Buffer.alloc(padded(head.byteLength) - head.byteLength), ...data])
}

const METADATA: Record<string, Meta> = {
  'general.architecture': { type: 'string', value: 'llama' },
  'general.name': { type: 'string', value: 'tiny random llama' },
  'general.alignment': { type: 'u32', value: ALIGNMENT },
  'llama.context_length': { type: 'u32', value: CONTEXT },
  'llama.embedding_length': { type: 'u32', value: WIDTH },
  'llama.block_count': { type: 'u32', value: LAYERS },
  'llama.feed_forward_length': { type: 'u32', value: INNER },
  'llama.attention.head_count': { type: 'u32', value: HEADS },
  'llama.attention.head_count_kv': { type: 'u32', value: HEADS },
  'llama.attention.layer_norm_rms_epsilon': { type: 'f32', value: 1e-5 },
  'llama.rope.dimension_count': { type: 'u32', value: WIDTH / HEADS },
  'llama.vocab_size': { type: 'u32', value: TOKENS.length },
  'tokenizer.ggml.model': { type: 'string', value: 'llama' },
  'tokenizer.ggml.tokens': { type: 'strings', value: TOKENS },
  'tokenizer.ggml.scores': { type: 'f32s', value: TOKENS.map((_, index) => -index) },
  // 1 normal, 2 unknown, 3 control, 6 byte
  'tokenizer.ggml.token_type': { type: 'i32s', value: [2, 3, 3, ...BYTES.map(() => 6), ...PIECES.map(() => 1)] },
  'tokenizer.ggml.unknown_token_id': { type: 'u32', value: 0 },
  'tokenizer.ggml.bos_token_id': { type: 'u32', value: 1 },
  'tokenizer.ggml.eos_token_id': { type: 'u32', value: 2 },
}

function tensorsOf(): { name: string; shape: number[] }[] {
  const layer = (index: number): { name: string; shape: number[] }[] =>
    Object.entries({
      attn_norm: [WIDTH],
      attn_q: [WIDTH, WIDTH],
      attn_k: [WIDTH, WIDTH],
      attn_v: [WIDTH, WIDTH],
      attn_output: [WIDTH, WIDTH],
      ffn_norm: [WIDTH],
      ffn_gate: [WIDTH, INNER],
      ffn_up: [WIDTH, INNER],
      ffn_down: [INNER, WIDTH],
    }).map(([name, shape]) => ({ name: `blk.${index}.${name}.weight`, shape }))
  return [
    { name: 'token_embd.weight', shape: [WIDTH, TOKENS.length] },
    ...Array.from({ length: LAYERS }, (_, index) => layer(index)).flat(),
    { name: 'output_norm.weight', shape: [WIDTH] },
    { name: 'output.weight', shape: [WIDTH, TOKENS.length] },
  ]
}

function written(meta: Meta): Buffer {
  switch (meta.type) {
    case 'u32':
      return Buffer.concat([u32(4), u32(meta.value)])
    case 'f32':
      return Buffer.concat([u32(6), f32(meta.value)])
    case 'bool':
      return Buffer.concat([u32(7), Buffer.from([meta.value])])
    case 'string':
      return Buffer.concat([u32(8), text(meta.value)])
    case 'strings':
      return Buffer.concat([u32(9), u32(8), u64(meta.value.length), ...meta.value.map(text)])
    case 'f32s':
      return Buffer.concat([u32(9), u32(6), u64(meta.value.length), ...meta.value.map(f32)])
    case 'i32s':
      return Buffer.concat([u32(9), u32(5), u64(meta.value.length), ...meta.value.map(u32)])
  }
}

const sizeOf = (shape: readonly number[]): number => shape.reduce((product, length) => product * length, 4)
const padded = (bytes: number): number => Math.ceil(bytes / ALIGNMENT) * ALIGNMENT

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

function u64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(value))
  return bytes
}

function f32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeFloatLE(value)
  return bytes
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8')
  return Buffer.concat([u64(bytes.byteLength), bytes])
}

/** The same numbers each time. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}
