import type { SettingName } from './settings.js'

/** The three places a value can be given in, from the weakest to the strongest. */
export type OriginKind = 'default' | 'file' | 'environment' | 'flag'

/** Where the value in effect came from. */
export interface Origin {
  kind: OriginKind
  /** `default`, `file /x/config.yaml: port`, `environment OCF_PORT`, `flag --port`. */
  label: string
}

/** The origin of every setting. */
export type Origins = Record<SettingName, Origin>
