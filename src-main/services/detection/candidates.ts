import type { ServerKind } from '#shared/contract/detection.js'

/** A port of this machine that is looked at. */
export interface Candidate {
  port: number
  /** Who asks for a key there, where the port alone tells. */
  keeper?: ServerKind
}

/** Where the usual model servers listen. */
export const USUAL_CANDIDATES: readonly Candidate[] = [
  { port: 11434, keeper: 'ollama' },
  { port: 9931, keeper: 'llama.cpp' },
  { port: 8080 },
  { port: 8000 },
  { port: 30000, keeper: 'sglang' },
  { port: 1234, keeper: 'lm-studio' },
  { port: 3000 },
  { port: 1337, keeper: 'jan' },
  { port: 5001, keeper: 'koboldcpp' },
  { port: 12434, keeper: 'docker-model-runner' },
  { port: 23333, keeper: 'lmdeploy' },
  { port: 8001 },
  { port: 8081 },
  { port: 4891 },
  { port: 5000 },
]

/** IPv4 first; the other is asked only where the first holds no model server. */
export const LOOPBACK_HOSTS: readonly string[] = ['127.0.0.1', '::1']
