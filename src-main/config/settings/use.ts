import type { SettingRow } from '../setting-row.js'

/** Who may read what this machine's apps send. */
export const USE_SETTINGS = {
  'use.reach': {
    group: 'use',
    kind: 'choice',
    choices: ['own', 'trusted', 'anyone'],
    default: 'anyone',
    help: 'How far a request may go: this machine alone, also peers you trust, or anyone who offers the model.',
    cost: 'Whoever answers reads what you send.',
    restart: false,
  },
  'use.overflow': {
    group: 'use',
    kind: 'list',
    item: 'text',
    split: 'comma',
    default: [],
    maxItems: 256,
    placeholder: 'model',
    help: 'Models of this machine that strangers may answer too, when its own server is busy or stopped; `*` is all.',
    cost: 'Without it a model you have yourself never leaves this machine and the peers you trust.',
    restart: false,
  },
  'use.exposure': {
    group: 'use',
    kind: 'count',
    default: 2,
    min: 1,
    max: 4,
    help: 'How many strangers may get to read one request, where the first of them fails or keeps it waiting.',
    cost: '',
    restart: false,
  },
  'trusted-peers': {
    group: 'use',
    kind: 'list',
    item: 'peer-id',
    split: 'comma',
    default: [],
    maxItems: 256,
    placeholder: 'peer-id',
    help: 'Peers you trust with what you send; where they use this machine, they come before strangers.',
    cost: '',
    restart: false,
  },
} as const satisfies Record<string, SettingRow>
