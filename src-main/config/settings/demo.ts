import type { SettingRow } from '../setting-row.js'

/** The built-in demo model. */
export const DEMO_SETTINGS = {
  'demo-model': {
    group: 'demo',
    kind: 'choice',
    choices: ['auto', 'on', 'off'],
    default: 'auto',
    help: 'The built-in demo model, for this machine only; `auto` offers it while there is no real model.',
    cost: '',
    restart: true,
  },
  'demo-model.tokens-per-second': {
    group: 'demo',
    kind: 'count',
    default: 40,
    min: 1,
    max: 10_000,
    help: 'How fast the demo model answers.',
    cost: '',
    restart: true,
  },
} as const satisfies Record<string, SettingRow>
