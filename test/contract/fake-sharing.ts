import type { DetectedServer } from '#shared/contract/sharing/detection.js'
import type { PauseState } from '#shared/contract/sharing/pause.js'
import type { ShareView } from '#shared/contract/sharing/shares.js'
import type { SharingNeeds } from '../../src-main/api/handlers/sharing.js'
import { DEFAULT_LIMITS } from '../fixtures/default-limits.js'

const OLLAMA: DetectedServer = {
  address: '127.0.0.1:11434',
  host: '127.0.0.1',
  port: 11434,
  kind: 'ollama',
  name: 'Ollama',
  version: '0.13.0',
  state: 'ready',
  problem: null,
  models: [
    {
      id: 'llama3.2:latest',
      contextLength: null,
      quantisation: 'Q4_K_M',
      sizeBytes: 2_019_393_189,
      parameters: '3.2B',
      loaded: true,
    },
  ],
  load: null,
  typed: false,
  sharedAs: 'llm@127.0.0.1:11434',
  remembered: null,
}

const SHARE: ShareView = {
  id: 'llm@127.0.0.1:11434',
  address: '127.0.0.1:11434',
  host: '127.0.0.1',
  port: 11434,
  kind: 'ollama',
  name: 'Ollama',
  status: 'connected',
  problem: null,
  models: ['llama3.2:latest'],
  visibility: 'me',
  choices: [{ model: 'llama3.2:latest', ticked: true, visibility: 'everyone' }],
  names: [{ name: 'llama3.2:latest', visibility: 'everyone' }],
  aliases: [],
  published: ['llama3.2:latest'],
  hasKey: false,
  sharedAtMs: 1_700_000_000_000,
}

const PAUSE: PauseState = {
  paused: true,
  reasons: [{ cause: 'manual', sentence: 'you paused it until you resume', untilMs: null }],
  running: 1,
  cutAtMs: null,
  rules: [
    {
      ...{ cause: 'on-battery', setting: 'pause.on-battery', enabled: false },
      ...{ holds: null, sentence: 'Off', canTell: true },
    },
  ],
}

const TOTALS = { requests: 3, failed: 0, tokensIn: 20, tokensOut: 300, peers: 2 }

/** The donor's side of a node that shares one Ollama and is paused; nothing ever changes. */
export function createFakeSharing(): SharingNeeds {
  const never = (): (() => void) => () => undefined
  return {
    detector: {
      servers: () => [OLLAMA],
      scan: () => Promise.resolve([OLLAMA]),
      typeIn: () => Promise.resolve({ ...OLLAMA, typed: true }),
      forget: () => false,
      follow: never,
    },
    shares: {
      list: () => [SHARE],
      add: () => Promise.resolve(SHARE),
      setVisibility: () => Promise.resolve(SHARE),
      wasUpgraded: false,
      remove: () => Promise.resolve({ removed: true, untilRestart: false, problem: null }),
      subscribe: never,
    },
    admission: {
      usage: () => ({
        slots: { used: 1, total: 4 },
        queue: { used: 0, total: 16 },
        ownRunning: 0,
        consumers: [{ peerId: 'alice', running: 1, waiting: 0, tokensToday: 320 }],
        refused: [{ code: 'provider_busy', count: 2 }],
        limits: DEFAULT_LIMITS,
      }),
      subscribe: never,
    },
    pause: {
      state: () => PAUSE,
      pause: () => Promise.resolve(PAUSE),
      resume: () => Promise.resolve({ ...PAUSE, paused: false, reasons: [] }),
      subscribe: never,
    },
    ledger: {
      summary: () => ({ today: TOTALS, ever: TOTALS, firstDay: '2030-01-31' }),
      rows: () => [
        {
          day: '2030-01-31',
          model: 'llama3.2:latest',
          peer: 'alice',
          requests: 3,
          failed: 0,
          tokensIn: 20,
          tokensOut: 300,
          tokensEstimated: 0,
        },
      ],
      subscribe: never,
    },
  }
}
