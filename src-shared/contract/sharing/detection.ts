import { z } from 'zod'
import { defineCall, defineListFeed, NoInputSchema } from '../define.js'
import { LIST_FEED_KEYS } from '../list-feeds.js'
import { ServerChoicesSchema } from './visibility.js'

/** The model servers that are told apart. `gateway` forwards to others itself and is never shared: that would be a loop. */
export const ServerKindSchema = z.enum([
  'ollama',
  'llama.cpp',
  'vllm',
  'sglang',
  'lm-studio',
  'localai',
  'tgi',
  'jan',
  'koboldcpp',
  'docker-model-runner',
  'lemonade',
  'lmdeploy',
  'openai-compatible',
  'gateway',
])
/** A kind of model server, as detection names it. */
export type ServerKind = z.output<typeof ServerKindSchema>

/** How the servers are called on screen. */
export const SERVER_NAMES: Readonly<Record<ServerKind, string>> = {
  ollama: 'Ollama',
  'llama.cpp': 'llama.cpp',
  vllm: 'vLLM',
  sglang: 'SGLang',
  'lm-studio': 'LM Studio',
  localai: 'LocalAI',
  tgi: 'Text Generation Inference',
  jan: 'Jan',
  koboldcpp: 'KoboldCpp',
  'docker-model-runner': 'Docker Model Runner',
  lemonade: 'Lemonade',
  lmdeploy: 'LMDeploy',
  'openai-compatible': 'OpenAI-compatible server',
  gateway: 'Gateway',
}

/**
 * `busy`: every slot is taken, or it did not answer just now although it did before. `asleep`: it has unloaded its model
 * and loads it for the next request. `unusable`: see the problem. The last two kinds are only told of typed-in addresses.
 */
const ServerStateSchema = z.enum([
  'ready',
  'starting',
  'asleep',
  'busy',
  'needs-key',
  'no-models',
  'unusable',
  'not-found',
])
/** Whether a detected server can be used, and if not, why. */
export type ServerState = z.output<typeof ServerStateSchema>

/** One model as its server tells it; null for what it does not tell. */
const DetectedModelSchema = z.object({
  /** The server's own id; what is published may be shorter (a path becomes its file name). */
  id: z.string(),
  /** Tokens. */
  contextLength: z.number().nullable(),
  /** `Q4_K_M`, `AWQ`, … */
  quantisation: z.string().nullable(),
  /** On disk. */
  sizeBytes: z.number().nullable(),
  /** `8.0B`, `361.82 M`: as the server writes it. */
  parameters: z.string().nullable(),
  /** In memory now. */
  loaded: z.boolean().nullable(),
  /** True where it runs on another company's computers, on the account of this machine's owner. */
  cloud: z.boolean().optional(),
})
/** A model of a detected server; sizes in bytes, context in tokens, null for what the server does not report. */
export type DetectedModel = z.output<typeof DetectedModelSchema>

/** A model server on this machine, or what a typed-in address turned out to be. */
const DetectedServerSchema = z.object({
  /** `host:port`; never leaves this machine. */
  address: z.string(),
  host: z.string(),
  port: z.number().int(),
  kind: ServerKindSchema,
  /** For a person: `Ollama`. */
  name: z.string(),
  version: z.string().nullable(),
  state: ServerStateSchema,
  /** Why it can't be used as it is, and what to do; null when it can. */
  problem: z.string().nullable(),
  models: z.array(DetectedModelSchema),
  /** Requests it works on and those that wait, where it tells. */
  load: z.object({ running: z.number(), waiting: z.number() }).nullable(),
  /** The person typed this address in. */
  typed: z.boolean(),
  /** Under which id it is shared; null while it is not. */
  sharedAs: z.string().nullable(),
  /** What was chosen for its models when it was shared the last time; null while it is shared or never was. */
  remembered: ServerChoicesSchema.nullable(),
})
/** A detected model server with its models and load. */
export type DetectedServer = z.output<typeof DetectedServerSchema>

/** A host of this machine and a port; `localhost` is whichever of 127.0.0.1 and ::1 has a server there. */
export const TargetInputSchema = z.strictObject({
  host: z.string().min(1).max(255).default('localhost'),
  port: z.number().int().min(1).max(65_535),
  /** The server's own key, if it wants one. Kept on this machine, never published and never shown again. */
  apiKey: z.string().min(1).max(4096).optional(),
})

/** Calls that list, refresh and extend the detected model servers. */
export const detectionCalls = {
  'detection.list': defineCall('The model servers found on this machine by the last scan.', {
    input: NoInputSchema,
    output: z.array(DetectedServerSchema),
  }),
  'detection.scan': defineCall('Scans this machine for model servers now.', {
    input: NoInputSchema,
    output: z.array(DetectedServerSchema),
  }),
  'detection.type-in': defineCall('Scans one address the person typed in and keeps it in the list.', {
    input: TargetInputSchema,
    output: DetectedServerSchema,
  }),
  'detection.forget': defineCall('Takes a typed-in address out of the list again.', {
    input: z.strictObject({ address: z.string().max(300) }),
    output: z.object({ forgotten: z.boolean() }),
  }),
}

/** The feed of detected model servers, keyed by address. */
export const detectionFeeds = {
  detection: defineListFeed(
    'The same as detection.list; while it is followed, this machine is scanned every 15 seconds instead of every minute.',
    DetectedServerSchema,
    LIST_FEED_KEYS.detection,
  ),
}
