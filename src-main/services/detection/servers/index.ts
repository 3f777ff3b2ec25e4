import type { ServerProfile } from './profile.js'
import { dockerModelRunner } from './docker-model-runner.js'
import { koboldcpp } from './koboldcpp.js'
import { lemonade } from './lemonade.js'
import { llamaCpp } from './llama-cpp.js'
import { lmdeploy } from './lmdeploy.js'
import { lmStudio } from './lm-studio.js'
import { localai } from './localai.js'
import { ollama } from './ollama.js'
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
