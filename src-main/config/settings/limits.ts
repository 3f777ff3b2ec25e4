import { LIMIT_NAMES, LIMITS, type LimitName } from '#shared/limits.js'

/** What the settings of all limits have in common. */
const COMMON = { group: 'limits', restart: false } as const

type LimitRows = { [Name in LimitName as (typeof LIMITS)[Name]['setting']]: (typeof LIMITS)[Name] & typeof COMMON }

/** The rows of the limits, from their own table. */
export const LIMIT_SETTINGS = Object.fromEntries(
  LIMIT_NAMES.map((name) => [LIMITS[name].setting, { ...LIMITS[name], ...COMMON }]),
) as LimitRows
