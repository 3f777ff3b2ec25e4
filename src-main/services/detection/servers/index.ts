import type { ServerKind } from '#shared/contract/sharing/detection.js'
import { dockerModelRunner } from './docker-model-runner.js'
import { koboldcpp } from './koboldcpp.js'
import { lemonade } from './lemonade.js'
import { llamaCpp } from './llama-cpp.js'
import { lmStudio } from './lm-studio.js'
import { lmdeploy } from './lmdeploy.js'
import { localai } from './localai.js'
import { ollama } from './ollama.js'
import type { ServerProfile } from './profile.js'
import { sglang } from './sglang.js'
import { tgi } from './tgi.js'
import { vllm } from './vllm.js'

/** In the order they are tried: those that imitate others come before whom they imitate, vague suspicions come last. */
export const PROFILES: readonly ServerProfile[] = [
  koboldcpp,
  llamaCpp,
  vllm,
  sglang,
  lmStudio,
  lmdeploy,
  lemonade,
  dockerModelRunner,
  tgi,
  ollama,
  localai,
]

/** What is asked of a server that only has OpenAI's interface. */
export const OPENAI_HEALTH_PATH = '/health'

/** A port of this machine that is scanned. */
export interface Candidate {
  port: number
  /** What asks for a key there, where the port alone tells. */
  expectedKind?: ServerKind
}

/** Where the usual model servers listen: the only list of these ports. */
export const USUAL_CANDIDATES: readonly Candidate[] = [
  { port: 11434, expectedKind: 'ollama' },
  { port: 9931, expectedKind: 'llama.cpp' },
  { port: 8080 },
  { port: 8000 },
  { port: 30000, expectedKind: 'sglang' },
  { port: 1234, expectedKind: 'lm-studio' },
  { port: 3000 },
  { port: 1337, expectedKind: 'jan' },
  { port: 5001, expectedKind: 'koboldcpp' },
  { port: 12434, expectedKind: 'docker-model-runner' },
  { port: 23333, expectedKind: 'lmdeploy' },
  { port: 8001 },
  { port: 8081 },
  { port: 4891 },
  { port: 5000 },
]
