import type { SettingRow } from '../setting-row.js'

const SECOND = 1000
const MINUTE = 60_000
const HOUR = 3_600_000

/** When this computer is for its owner alone. */
export const PAUSE_SETTINGS = {
  'pause.user-active': {
    group: 'pause',
    kind: 'boolean',
    default: false,
    help: 'Pauses sharing while you use this computer.',
    cost: 'Only the desktop app can tell.',
    restart: false,
  },
  'pause.user-idle': {
    group: 'pause',
    kind: 'duration',
    default: 5 * MINUTE,
    min: 10 * SECOND,
    max: 24 * HOUR,
    help: 'How long keyboard and mouse have to be idle before you count as away.',
    cost: '',
    restart: false,
  },
  'pause.on-battery': {
    group: 'pause',
    kind: 'boolean',
    default: false,
    help: 'Pauses sharing while this computer runs on battery.',
    cost: '',
    restart: false,
  },
  'pause.gpu-busy': {
    group: 'pause',
    kind: 'count',
    default: 0,
    min: 0,
    max: 100,
    help: 'Pauses sharing while other programs keep a GPU busier than this, in percent.',
    cost: '0 switches it off.',
    restart: false,
    placeholder: 'percent',
  },
  'pause.programs': {
    group: 'pause',
    kind: 'list',
    item: 'text',
    split: 'comma',
    default: [],
    help: 'Pauses sharing while one of these programs runs, by the name of its file: `blender`, `game.exe`.',
    cost: '',
    restart: false,
    placeholder: 'program',
  },
  'pause.schedule': {
    group: 'pause',
    kind: 'schedule',
    default: '',
    help: 'Shares only at these times, by this computer’s clock: `Mon-Fri 18:00-08:00; Sat,Sun 00:00-24:00`.',
    cost: 'Empty means always.',
    restart: false,
  },
  'pause.cut-after': {
    group: 'pause',
    kind: 'duration',
    default: 0,
    min: 0,
    max: 24 * HOUR,
    help: 'How long answers that are running when a pause begins may take before they are cut.',
    cost: '0 lets them finish.',
    restart: false,
  },
} as const satisfies Record<string, SettingRow>
