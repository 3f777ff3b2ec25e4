import type { SettingView } from '#shared/contract/node/settings.js'

/** How a setting is changed on the short page. Sliders have their steps, zero that means "no limit" at their end. */
export type Control =
  | { kind: 'switch' }
  | { kind: 'choice' }
  | { kind: 'text' }
  | { kind: 'hours' }
  | { kind: 'keep-chats' }
  | { kind: 'slider'; steps: readonly number[]; unit: SliderUnit }
/** What the figure of a slider counts. */
type SliderUnit = 'slots' | 'perMinute' | 'tokens' | 'percent' | 'strangers'

/** Settings that people change, by the section of the page they stand in, in order. Their words are in the strings. */
const BASIC_SETTINGS = {
  sharing: {
    'pause.schedule': { kind: 'hours' },
    'pause.user-active': { kind: 'switch' },
    'pause.on-battery': { kind: 'switch' },
    'pause.gpu-busy': { kind: 'slider', steps: [10, 20, 30, 40, 50, 60, 70, 80, 90, 0], unit: 'percent' },
    'pause.programs': { kind: 'text' },
  },
  limits: {
    'limits.concurrent': { kind: 'slider', steps: [0, 1, 2, 3, 4, 6, 8, 12, 16, 24, 32], unit: 'slots' },
    'limits.requests-per-minute': { kind: 'slider', steps: [1, 2, 5, 10, 20, 30, 60, 120, 300, 0], unit: 'perMinute' },
    'limits.tokens-per-day': {
      kind: 'slider',
      steps: [1000, 5000, 10_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000, 0],
      unit: 'tokens',
    },
    'limits.max-tokens': {
      kind: 'slider',
      steps: [256, 512, 1024, 2048, 4096, 8192, 16_384, 32_768, 0],
      unit: 'tokens',
    },
  },
  network: {
    name: { kind: 'text' },
    network: { kind: 'choice' },
    mdns: { kind: 'switch' },
    'people.nearby': { kind: 'switch' },
    upnp: { kind: 'switch' },
    relay: { kind: 'choice' },
  },
  privacy: {
    'chats.keep': { kind: 'keep-chats' },
    'use.reach': { kind: 'choice' },
    'use.exposure': { kind: 'slider', steps: [1, 2, 3, 4], unit: 'strangers' },
    'cors-origins': { kind: 'text' },
    'api-key': { kind: 'choice' },
  },
} as const satisfies Record<string, Record<string, Control>>

/** A section of the short page that is made of settings. */
export type BasicSection = keyof typeof BASIC_SETTINGS

/** The settings of a section that this node has, each with its control. */
export function settingsOf(
  section: BasicSection,
  all: readonly SettingView[],
): { setting: SettingView; control: Control }[] {
  return Object.entries<Control>(BASIC_SETTINGS[section]).flatMap(([name, control]) => {
    const setting = all.find((one) => one.name === name)
    return setting === undefined ? [] : [{ setting, control }]
  })
}

/** Whether a setting stands on the short page. */
export function isBasic(name: string): boolean {
  return Object.values(BASIC_SETTINGS).some((section) => Object.hasOwn(section, name))
}
