import { z } from 'zod'
import { ENGINE_BACKENDS } from '#shared/contract/sharing/engine.js'

/** The environment variable that tells a process of the engine its work; arguments stand in the list of processes. */
export const JOB_VARIABLE = 'OCF_ENGINE_JOB'

/** What one process of the engine is to do. */
export const EngineJobSchema = z.object({
  /** URL of the engine's entry in the data folder. */
  library: z.string(),
  modelPath: z.string(),
  /** What requests call the model. */
  name: z.string(),
  /** Shown by whoever asks this process for anything. */
  token: z.string(),
  backend: z.enum(ENGINE_BACKENDS),
  /** Tokens for one request and its answer. */
  contextTokens: z.number().int(),
  slots: z.number().int(),
  /** Null: as many as there is room for. */
  gpuLayers: z.number().int().nullable(),
  /** Its standard input is a pipe that closes with the node. False where the system ends it with the node. */
  endsWithInput: z.boolean(),
})
/** What one process of the engine is to do. */
export type EngineJob = z.output<typeof EngineJobSchema>

/** What such a process tells of itself, a line of JSON each on its standard output. */
export const WorkerEventSchema = z.discriminatedUnion('event', [
  z.object({ event: z.literal('loading'), fraction: z.number() }),
  z.object({
    event: z.literal('ready'),
    port: z.number().int(),
    contextTokens: z.number().int(),
    slots: z.number().int(),
    gpuLayers: z.number().int(),
    backend: z.enum(ENGINE_BACKENDS),
    /** What it had to do without; null where nothing. */
    note: z.string().nullable(),
  }),
  /** It could not load the model and ends. */
  z.object({ event: z.literal('failed'), reason: z.string() }),
])
/** A line that a process of the engine tells of itself. */
export type WorkerEvent = z.output<typeof WorkerEventSchema>
