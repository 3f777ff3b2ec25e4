import type { SettingRow } from '../setting-row.js'

const SECOND = 1000
const MINUTE = 60_000
const HOUR = 3_600_000
const TIB = 1024 ** 4

/** The engine that runs models from their files. */
export const ENGINE_SETTINGS = {
  'engine.serve': {
    group: 'engine',
    kind: 'list',
    item: 'text',
    split: 'comma',
    default: [],
    help: 'Model files, or names of models on the disk, that are served from the start on.',
    cost: 'Needs the engine (`ocf engine install`).',
    restart: true,
    placeholder: 'file|name',
  },
  'engine.visibility': {
    group: 'engine',
    kind: 'choice',
    choices: ['me', 'trusted', 'everyone'],
    default: 'me',
    help: 'Who may use the models of engine.serve: only this machine’s apps, also the peers you trust, or everyone.',
    cost: 'Only what everyone may use is published.',
    restart: true,
  },
  'engine.folders': {
    group: 'engine',
    kind: 'list',
    item: 'text',
    split: 'comma',
    default: [],
    help: 'Folders in which models are looked for, besides those of Ollama, LM Studio, Hugging Face and llama.cpp.',
    cost: 'They are only read.',
    restart: false,
    placeholder: 'folder',
  },
  'engine.memory': {
    group: 'engine',
    kind: 'size',
    default: 0,
    min: 0,
    max: TIB,
    help: 'Memory that all loaded models together may take.',
    cost: '0 is three quarters of this computer’s memory, or nine tenths of its GPU’s where that is more.',
    restart: false,
  },
  'engine.idle': {
    group: 'engine',
    kind: 'duration',
    default: 10 * MINUTE,
    min: SECOND,
    max: 24 * HOUR,
    help: 'How long a loaded model may be idle before its memory is given back.',
    cost: 'The next request has to load it again.',
    restart: false,
  },
  'engine.registry': {
    group: 'engine',
    kind: 'text',
    default: '',
    help: 'Address of the package registry that the engine is fetched from.',
    cost: 'Empty means the one your npm uses.',
    restart: false,
    placeholder: 'url',
  },
} as const satisfies Record<string, SettingRow>
