const MIB = 1024 * 1024

/** Base units in one unit of the form: a duration is kept in milliseconds, a size in bytes. */
export const LIMIT_UNITS = { requests: 1, tokens: 1, s: 1000, MiB: MIB } as const

/** One limit. Numbers are in base units; lists hold peer ids. */
export type LimitRow = {
  /** The setting that keeps it. */
  setting: `limits.${string}`
  /** One sentence: what it does. */
  help: string
  /** What it costs, or what 0 means; empty where there is nothing to say. */
  cost: string
  /** What the form calls it, without its unit. */
  label: string
  /** What the form says below the field; empty where there is nothing to say. */
  hint: string
} & (
  | { kind: 'count'; unit: 'requests' | 'tokens'; default: number; min: number; max: number }
  | { kind: 'duration'; unit: 's'; default: number; min: number; max: number }
  | { kind: 'size'; unit: 'MiB'; default: number; min: number; max: number }
  | {
      kind: 'list'
      item: 'peer-id'
      split: 'comma'
      default: readonly string[]
      maxItems: number
      placeholder: string
    }
)

/**
 * The one table of what an owner grants to other peers. Settings, contract, form, command line and documents are read
 * from it: a new limit is a row here and the place that enforces it.
 */
export const LIMITS = {
  concurrent: {
    setting: 'limits.concurrent',
    kind: 'count',
    unit: 'requests',
    default: 4,
    min: 0,
    max: 1000,
    help: 'Requests from peers that run here at the same time; your own requests take slots first.',
    cost: '0 refuses every peer.',
    label: 'Concurrent requests',
    hint: 'More of them make each one slower.',
  },
  queue: {
    setting: 'limits.queue',
    kind: 'count',
    unit: 'requests',
    default: 16,
    min: 0,
    max: 1000,
    help: 'Requests from peers that may wait for a slot; sources take turns, then their peers, however many each one sends.',
    cost: 'Each waiting request keeps its body in memory.',
    label: 'Queue size',
    hint: 'Further requests are refused as “busy”.',
  },
  queueTimeMs: {
    setting: 'limits.queue-time',
    kind: 'duration',
    unit: 's',
    default: 10_000,
    min: 0,
    max: 300_000,
    help: 'How long such a request may wait before it is refused (429) and can go to another provider.',
    cost: '',
    label: 'Max. wait',
    hint: '',
  },
  requestsPerMinute: {
    setting: 'limits.requests-per-minute',
    kind: 'count',
    unit: 'requests',
    default: 0,
    min: 0,
    max: 100_000,
    help: 'Requests per minute from one peer; more are refused (429).',
    cost: '0 = unlimited.',
    label: 'Requests per peer per minute',
    hint: '0 = unlimited',
  },
  tokensPerMinute: {
    setting: 'limits.tokens-per-minute',
    kind: 'count',
    unit: 'tokens',
    default: 0,
    min: 0,
    max: 1_000_000_000,
    help: 'Prompt and completion tokens per minute for one peer; once over, its next request is refused for a while (429).',
    cost: '0 = unlimited.',
    label: 'Tokens per peer per minute',
    hint: '0 = unlimited',
  },
  sourceRequestsPerMinute: {
    setting: 'limits.source-requests-per-minute',
    kind: 'count',
    unit: 'requests',
    default: 0,
    min: 0,
    max: 100_000,
    help: 'Requests per minute from all peers of one source together: an address group (IPv4 /24, IPv6 /48) or a relay.',
    cost: '0 = unlimited. Peers you trust are not counted.',
    label: 'Requests per source per minute',
    hint: 'Of strangers behind one network or relay, 0 = unlimited',
  },
  sourceTokensPerMinute: {
    setting: 'limits.source-tokens-per-minute',
    kind: 'count',
    unit: 'tokens',
    default: 0,
    min: 0,
    max: 1_000_000_000,
    help: 'Tokens per minute for all peers of one source together.',
    cost: '0 = unlimited. Peers you trust are not counted.',
    label: 'Tokens per source per minute',
    hint: 'Of strangers behind one network or relay, 0 = unlimited',
  },
  strangersRequestsPerMinute: {
    setting: 'limits.strangers-requests-per-minute',
    kind: 'count',
    unit: 'requests',
    default: 0,
    min: 0,
    max: 100_000,
    help: 'Requests per minute from all strangers together, at most half of them from one source.',
    cost: '0 = unlimited. Peers you trust are not counted.',
    label: 'Requests of all strangers per minute',
    hint: 'At most half for one source, 0 = unlimited',
  },
  strangersTokensPerMinute: {
    setting: 'limits.strangers-tokens-per-minute',
    kind: 'count',
    unit: 'tokens',
    default: 0,
    min: 0,
    max: 1_000_000_000,
    help: 'Tokens per minute for all strangers together, at most half of them for one source.',
    cost: '0 = unlimited. Peers you trust are not counted.',
    label: 'Tokens of all strangers per minute',
    hint: 'At most half for one source, 0 = unlimited',
  },
  tokensPerDay: {
    setting: 'limits.tokens-per-day',
    kind: 'count',
    unit: 'tokens',
    default: 0,
    min: 0,
    max: 1_000_000_000,
    help: 'Prompt and completion tokens that one peer may use per day; then its requests to models are refused (429) until midnight.',
    cost: '0 = unlimited.',
    label: 'Tokens per peer per day',
    hint: '0 = unlimited',
  },
  maxTokens: {
    setting: 'limits.max-tokens',
    kind: 'count',
    unit: 'tokens',
    default: 0,
    min: 0,
    max: 10_000_000,
    help: 'Max. tokens per answer to a peer; requests for more, or without a number, get this one.',
    cost: '0 = unlimited. Otherwise JSON bodies are rewritten before they reach the server.',
    label: 'Max. tokens per answer',
    hint: '0 = unlimited',
  },
  maxBodyBytes: {
    setting: 'limits.max-body',
    kind: 'size',
    unit: 'MiB',
    default: 8 * MIB,
    min: 0,
    max: 1024 * MIB,
    help: 'Largest request body from a peer to a model server; larger ones are refused (413).',
    cost: '0 = no limit of its own: JSON is limited by gateway.max-body, and uploads stream through.',
    label: 'Max. request size',
    hint: '0 = unlimited',
  },
  allowedPeers: {
    setting: 'limits.allow-peers',
    kind: 'list',
    item: 'peer-id',
    split: 'comma',
    default: [],
    maxItems: 256,
    placeholder: 'peer-id',
    help: 'Only these peers may use this machine; empty allows all.',
    cost: '',
    label: 'Allowed peers',
    hint: 'Peer ids, one per line. Empty allows everyone.',
  },
  blockedPeers: {
    setting: 'limits.block-peers',
    kind: 'list',
    item: 'peer-id',
    split: 'comma',
    default: [],
    maxItems: 256,
    placeholder: 'peer-id',
    help: 'Peers that may not use this machine.',
    cost: '',
    label: 'Blocked peers',
    hint: 'Peer ids, one per line.',
  },
} as const satisfies Record<string, LimitRow>

/** The name of a limit in the control interface. */
export type LimitName = keyof typeof LIMITS

/** All names, in the order of the table. */
export const LIMIT_NAMES = Object.keys(LIMITS) as LimitName[]

/** What one limit can be. */
export type LimitValue = number | string[]

/** The limits in force, in base units. */
export type Limits = { [Name in LimitName]: (typeof LIMITS)[Name] extends { kind: 'list' } ? string[] : number }

/** The same, by the settings that keep them. */
export type LimitSettings = { [Name in LimitName as (typeof LIMITS)[Name]['setting']]: Limits[Name] }

/** Something for each limit, made from its row. */
export function mapLimits<Value>(
  valueOf: (row: (typeof LIMITS)[LimitName], name: LimitName) => Value,
): Record<LimitName, Value> {
  return Object.fromEntries(LIMIT_NAMES.map((name) => [name, valueOf(LIMITS[name], name)])) as Record<LimitName, Value>
}

/** The limits that these settings hold. */
export function readLimits(settings: Readonly<LimitSettings>): Limits {
  // Each setting holds what its own row says.
  return mapLimits<LimitValue>(({ setting }) => settings[setting]) as Limits
}

/** True while one of the limits counts tokens. Only who reads requests and answers can hold a peer to such a limit. */
export function countsTokens(limits: Limits): boolean {
  return LIMIT_NAMES.some((name) => {
    const row: LimitRow = LIMITS[name]
    return row.kind === 'count' && row.unit === 'tokens' && limits[name] !== 0
  })
}
