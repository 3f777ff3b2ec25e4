import type { LocalModel, LocalService } from '../index.js'
import { OLLAMA_API } from './published-models.js'

/** The interfaces in which a server may be given the beginning of an answer, to go on with it. */
export type ContinuedForm = 'chat' | 'completions' | 'messages' | 'ollama-chat' | 'ollama-generate'

/**
 * How a server takes it: as the last message, which it goes on with (`prefill`); the same where the request says so
 * (`flag`); or as the end of a prompt that goes through no template (`raw`).
 */
export type ContinuedWay = 'prefill' | 'flag' | 'raw'

/** A kind of server that goes on with answers, and what it has to be asked first: older ones begin anew. */
interface ContinuingEngine {
  ways: Readonly<Partial<Record<ContinuedForm, ContinuedWay>>>
  proof?: 'apply-template' | 'ollama-template'
}

/** By `owned_by` of its models; whoever is not here begins anew, or nobody has seen that it does not. */
const ENGINES: Readonly<Record<string, ContinuingEngine>> = {
  // tools/server/README.md: a last message of the assistant is a prefill. Seen with b10434.
  llamacpp: { ways: { chat: 'prefill', messages: 'prefill', completions: 'raw' }, proof: 'apply-template' },
  // This program's own: its history ends with the answer that is written, empty or begun (engine/worker/requests.ts).
  'ocf-engine': { ways: { chat: 'prefill', completions: 'raw' } },
  // docs.vllm.ai, OpenAI-compatible server, extra parameters: `continue_final_message`.
  vllm: { ways: { chat: 'flag', completions: 'raw' } },
  // docs.sglang.io, OpenAI APIs - Completions: `continue_final_message`.
  sglang: { ways: { chat: 'flag', completions: 'raw' } },
}

/** docs.ollama.com, template: `.Messages` whose last one is left open, and templates with `.Response`. */
const OLLAMA: ContinuingEngine = {
  ways: { chat: 'prefill', messages: 'prefill', 'ollama-chat': 'prefill', 'ollama-generate': 'raw' },
  proof: 'ollama-template',
}

function engineOf(service: Pick<LocalService, 'identityGroups'>, model: LocalModel): ContinuingEngine | undefined {
  if (model.isCloud === true) return undefined
  if (service.identityGroups.includes(OLLAMA_API)) return OLLAMA
  return ENGINES[model.ownedBy?.toLowerCase() ?? '']
}

/** Whether the server of that model can go on with an answer that another one began. */
export const canContinue = (service: Pick<LocalService, 'identityGroups'>, model: LocalModel): boolean =>
  engineOf(service, model) !== undefined

/** How a service goes on with the answers of its model, and what proves it; undefined where it does not. */
export function continuedWay(
  service: LocalService,
  modelId: string,
  form: ContinuedForm,
): { way: ContinuedWay; proof: ContinuingEngine['proof'] } | undefined {
  const model = service.models.find(({ id }) => id === modelId)
  const engine = model && engineOf(service, model)
  const way = engine?.ways[form]
  return way === undefined ? undefined : { way, proof: way === 'raw' ? undefined : engine?.proof }
}
