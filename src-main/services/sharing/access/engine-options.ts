import { elementsOf, type JsonObjectBytes } from '../../../base/json/object.js'
import { folded } from './token-limit.js'

/** What one kind of server lets a request say about the machine it runs on, or about requests of others. */
interface EngineOptions {
  /** Members of the request itself. */
  members: readonly string[]
  /** Members of its `options`. */
  options?: readonly string[]
  /** Where they are documented or defined, and as of when. */
  source: string
}

/**
 * By kind of server: what decides how long a model stays in memory, how much of it the model takes, where it runs, what
 * else is loaded, or whose request comes first. All of them hold for every server: which kind it is may be guessed
 * wrong, and servers imitate each other.
 */
const ENGINE_OPTIONS: Readonly<Record<string, EngineOptions>> = {
  ollama: {
    members: ['keep_alive'],
    // "Runner options which must be set when the model is loaded": another value loads it anew.
    options: [
      ...['numa', 'num_ctx', 'num_batch', 'num_gqa', 'num_gpu', 'main_gpu', 'num_thread', 'low_vram', 'f16_kv'],
      ...['logits_all', 'vocab_only', 'use_mmap', 'use_mlock', 'embedding_only', 'rope_frequency_base'],
      ...['rope_frequency_scale'],
    ],
    source: 'https://github.com/ollama/ollama/blob/main/api/types.go: Runner, KeepAlive (v0.9; older names from v0.1)',
  },
  'llama.cpp': {
    // `system_prompt` changed that of all slots until it was removed in 2024.
    members: ['id_slot', 'slot_id', 'lora', 'system_prompt'],
    source: 'https://github.com/ggml-org/llama.cpp/blob/master/tools/server/README.md: POST /completion (b5600)',
  },
  vllm: {
    members: ['priority', 'request_id', 'kv_transfer_params', 'vllm_xargs', 'background'],
    source: 'https://docs.vllm.ai/en/v0.22.1/serving/online_serving/openai_compatible_server/: extra parameters',
  },
  sglang: {
    members: [
      ...['lora_path', 'session_params', 'session_id', 'rid', 'extra_key', 'priority', 'custom_logit_processor'],
      ...['custom_params', 'custom_labels', 'bootstrap_host', 'bootstrap_port', 'bootstrap_room'],
      ...['data_parallel_rank', 'routed_dp_rank', 'disagg_prefill_dp_rank'],
    ],
    source: 'https://github.com/sgl-project/sglang: entrypoints/openai/protocol.py, managers/io_struct.py (v0.5)',
  },
  'lm-studio': {
    members: ['ttl', 'draft_model'],
    source: 'https://lmstudio.ai/docs/api/ttl-and-auto-evict (0.3.9), API changelog for draft_model (0.3.10)',
  },
  localai: {
    members: ['backend', 'model_base_name', 'tokenizer', 'batch', 'rope_freq_base', 'rope_freq_scale'],
    source: 'https://github.com/mudler/LocalAI/tree/master/core/schema: prediction.go, openai.go (v3)',
  },
  tgi: {
    members: ['adapter_id'],
    source: 'https://huggingface.co/docs/text-generation-inference: LoRA (v2.1)',
  },
  lmdeploy: {
    members: ['session_id'],
    source: 'https://github.com/InternLM/lmdeploy/blob/main/lmdeploy/serve/openai/protocol.py (v0.9)',
  },
}

const tables = Object.values(ENGINE_OPTIONS)
const MEMBERS: ReadonlySet<string> = new Set(tables.flatMap(({ members }) => members))
const OPTIONS: ReadonlySet<string> = new Set(tables.flatMap(({ options = [] }) => options))

/** Whether a member of a request, or a field of a form, is for the owner of the server alone to set. */
export const isOwnersMember = (name: string): boolean => MEMBERS.has(folded(name))

/** The same request without what is for the owner of the server alone to set; all other bytes stay. */
export function withoutOwnersOptions(body: JsonObjectBytes): JsonObjectBytes {
  const changes = new Map<string, string | null>(body.names.filter(isOwnersMember).map((name) => [name, null]))
  const options = body.object('options')
  const inner = options?.names.filter((name) => OPTIONS.has(folded(name))) ?? []
  if (options !== undefined && inner.length > 0) {
    changes.set('options', options.with(new Map(inner.map((name) => [name, null]))).bytes.toString('utf8'))
  }
  return body.with(changes)
}

/** What a request of each of these paths asks about; without it Ollama loads the model, or takes it out of memory. */
const QUESTION_OF_PATH: Readonly<Record<string, string>> = {
  '/api/chat': 'messages',
  '/api/generate': 'prompt',
  '/api/embed': 'input',
  '/api/embeddings': 'prompt',
  '/v1/completions': 'prompt',
}

/** The member that a request lacks to ask for an answer at all; undefined where it asks. */
export function missingQuestion(path: string, body: JsonObjectBytes): string | undefined {
  const name = Object.hasOwn(QUESTION_OF_PATH, path) ? QUESTION_OF_PATH[path] : undefined
  return name === undefined || asks(body.raw(name)) ? undefined : name
}

function asks(value: Buffer | undefined): boolean {
  const text = value?.toString('latin1', 0, 5) ?? ''
  if (value === undefined || text === '""' || text === 'null') return false
  return !text.startsWith('[') || elementsOf(value).next().done !== true
}
