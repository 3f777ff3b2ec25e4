/** Where a setting stands in `--help`, docs/settings.md and the settings page. */
export const SETTING_GROUPS = {
  node: 'This node',
  gateway: 'Gateway: the address your apps use',
  use: 'Use: who may read what you send',
  network: 'Network: how this node meets others',
  sharing: 'Sharing: the local server others may use',
  engine: 'Engine: models run from their files',
  limits: 'Limits: how much of it others may use',
  pause: 'Pause: when this computer is yours alone',
  logging: 'Logging',
  telemetry: 'Telemetry: figures you send somewhere',
  demo: 'Demo model',
} as const

/** A key of {@link SETTING_GROUPS}. */
export type SettingGroup = keyof typeof SETTING_GROUPS

/** What every row of the settings table tells, whatever its kind. */
interface RowFacts {
  group: SettingGroup
  /** One sentence: what it does. */
  help: string
  /** What it costs or risks, or the unit it counts in; the empty string where there is nothing to say. */
  cost: string
  /** True when a change only counts after the node is started again. */
  restart: boolean
  /** What `--help` shows for the value: `--port <port>`. */
  placeholder?: string
  /** The default in words, where it is found out at run time. */
  defaultNote?: string
  /** False for what can't stand in the file that it would change (`config`). */
  inFile?: false
  /** One more environment variable that is read, after `OCF_…`: the name a service's own tools use. */
  alsoEnv?: string
  /** True for what is never shown again once it was given, and never taken from a flag. */
  secret?: true
}

/** What one entry of a list has to be. */
export type ListItem = 'text' | 'ip-address' | 'host-pattern' | 'origin' | 'identity-group' | 'shared-path' | 'peer-id'

/**
 * One row per setting. Numbers are in base units: durations in milliseconds, sizes in bytes. Lists that are `raw` keep
 * each given string as it is; `comma` lists are split at commas or read as a JSON array.
 */
export type SettingRow = RowFacts &
  (
    | { kind: 'choice'; choices: readonly string[]; default: string }
    | { kind: 'port'; default: number; transport: 'tcp' | 'udp' }
    | { kind: 'optional-port'; default: undefined }
    | { kind: 'text' | 'host' | 'public-address' | 'service-name' | 'url-path' | 'path' | 'schedule'; default: string }
    | { kind: 'list'; item: ListItem; split: 'raw' | 'comma'; default: readonly string[]; maxItems?: number }
    | { kind: 'boolean'; default: boolean }
    | { kind: 'duration' | 'size' | 'count'; default: number; min: number; max: number }
  )

/** The value a row's setting has once it is read. */
export type ValueOfRow<Row> = Row extends { kind: 'choice'; choices: readonly (infer Choice)[] }
  ? Choice
  : Row extends { kind: 'optional-port' }
    ? number | undefined
    : Row extends { kind: 'port' | 'duration' | 'size' | 'count' }
      ? number
      : Row extends { kind: 'list' }
        ? string[]
        : Row extends { kind: 'boolean' }
          ? boolean
          : string
