import { MAX_MODEL_LIST_BYTES } from '../registry/constants.js'
import { createHttpProbe, type HttpProbe } from '../registry/http-probe.js'
import { parseModelList } from '../registry/model-list.js'

/** A model server that is running on this machine. */
export interface FoundModelServer {
  host: string
  port: number
  /** The ids it lists; empty where it wants a key first. */
  models: string[]
  needsKey: boolean
}

/** Where the usual model servers listen: Ollama, llama.cpp, vLLM, LM Studio, SGLang, KoboldCpp, Jan and others. */
export const USUAL_PORTS: readonly number[] = [
  11434, 8080, 9931, 8000, 1234, 30000, 5001, 1337, 3000, 23333, 4891, 5000,
]

/**
 * Looks once at the usual ports of this machine, all at the same time. It only looks: nothing is registered.
 * Returns the first in the order of `ports`.
 */
export async function findLocalModelServer(
  options: { ports?: readonly number[]; host?: string; timeoutMs?: number; signal?: AbortSignal } = {},
): Promise<FoundModelServer | undefined> {
  const { ports = USUAL_PORTS, host = '127.0.0.1', timeoutMs = 2_000 } = options
  const signal = options.signal ?? new AbortController().signal
  const probe = createHttpProbe({ connectTimeoutMs: 500 })
  try {
    const found = await Promise.all(ports.map((port) => lookAt(probe, { host, port, timeoutMs, signal })))
    return found.find((server) => server !== undefined)
  } finally {
    await probe.close()
  }
}

async function lookAt(
  probe: HttpProbe,
  place: { host: string; port: number; timeoutMs: number; signal: AbortSignal },
): Promise<FoundModelServer | undefined> {
  const answer = await probe.get({ ...place, path: '/v1/models', apiKey: undefined, maxBytes: MAX_MODEL_LIST_BYTES })
  if (answer.kind !== 'answer') return undefined
  const { host, port } = place
  if (answer.status === 401) return { host, port, models: [], needsKey: true }
  const list = answer.status === 200 ? parseModelList(answer.body) : undefined
  if (list === undefined || list.isGateway) return undefined
  return { host, port, models: list.models.map((model) => model.id), needsKey: false }
}
