import type { EngineBackend } from '#shared/contract/sharing/engine.js'
import type { EngineJob } from './job.js'
import type { ChatWrapper, EmbeddingContext, Llama, LlamaLibrary, Model } from './library.js'
import { SlotPool } from './slots.js'

/** A model in memory, with all that answers are made of. */
export interface Loaded {
  library: LlamaLibrary
  llama: Llama
  model: Model
  wrapper: ChatWrapper
  slots: SlotPool
  contextTokens: number
  backend: EngineBackend
  /** What it had to do without; null where nothing. */
  note: string | null
  embeddings(): Promise<EmbeddingContext>
}

/** Requests that wait for a slot; the gateway has a queue of its own before it. */
const MAX_WAITING = 32

/** Loads a model as `job` says; falls back to the processor and to a smaller context where it must, and says so. */
export async function load(
  library: LlamaLibrary,
  job: EngineJob,
  onProgress: (fraction: number) => void,
): Promise<Loaded> {
  const notes: string[] = []
  const { llama, backend } = await startEngine(library, job.backend, notes)
  const model = await llama.loadModel({
    modelPath: job.modelPath,
    gpuLayers: job.gpuLayers ?? { fitContext: { contextSize: job.contextTokens } },
    onLoadProgress: onProgress,
  })
  const layers = model.fileInsights.totalLayers
  if (backend !== 'cpu' && job.gpuLayers === null && model.gpuLayers < layers) {
    notes.push(`${model.gpuLayers} of its ${layers} layers are on the GPU: there is no room for more.`)
  }
  const context = await createContext(model, { ...job, threads: threadsFor(llama.cpuMathCores) }, notes)
  const sequences = Array.from({ length: job.slots }, () => context.getSequence())
  let embedding: Promise<EmbeddingContext> | undefined
  return {
    ...{ library, llama, model, backend },
    wrapper: library.resolveChatWrapper(model),
    slots: new SlotPool(sequences, MAX_WAITING),
    contextTokens: context.contextSize,
    note: notes.length === 0 ? null : notes.join(' '),
    embeddings() {
      // Most models are never asked for one, and it takes memory of its own.
      embedding ??= model.createEmbeddingContext({ contextSize: { max: job.contextTokens } })
      return embedding
    },
  }
}

async function startEngine(
  library: LlamaLibrary,
  wanted: EngineBackend,
  notes: string[],
): Promise<{ llama: Llama; backend: EngineBackend }> {
  const start = (backend: EngineBackend): Promise<Llama> =>
    library.getLlama({
      gpu: backend === 'cpu' ? false : backend,
      ...{ build: 'never', skipDownload: true, progressLogs: false, logLevel: 'error' },
      // Standard output is for this process's own lines.
      logger: (level, message) => process.stderr.write(`${level}: ${message.trimEnd()}\n`),
    })
  if (wanted === 'cpu') return { llama: await start('cpu'), backend: 'cpu' }
  try {
    return { llama: await start(wanted), backend: wanted }
  } catch (error) {
    process.stderr.write(`${wanted} can't be used: ${String(error)}\n`)
    notes.push('The GPU can’t be used, so it runs on the processor.')
    return { llama: await start('cpu'), backend: 'cpu' }
  }
}

/**
 * One core stays for the node and its owner. The engine's threads wait for each other many times a token by spinning, so
 * one that the system keeps waiting holds up all.
 */
function threadsFor(cores: number): number {
  return Math.max(1, cores - 1)
}

type Context = Awaited<ReturnType<Model['createContext']>>

const SMALLEST_CONTEXT = 512

/** A context of the size that was asked for, or half of it, and so on, where there is no memory for it. */
async function createContext(model: Model, job: EngineJob & { threads: number }, notes: string[]): Promise<Context> {
  for (let contextSize = job.contextTokens; ; contextSize = Math.floor(contextSize / 2)) {
    try {
      const context = await model.createContext({ contextSize, sequences: job.slots, threads: job.threads })
      if (contextSize < job.contextTokens) {
        notes.push(`Its context is ${context.contextSize} tokens: there is no memory for ${job.contextTokens}.`)
      }
      return context
    } catch (error) {
      if (contextSize / 2 < SMALLEST_CONTEXT) throw error
    }
  }
}
