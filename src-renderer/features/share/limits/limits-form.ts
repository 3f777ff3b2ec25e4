import {
  LIMIT_NAMES,
  LIMIT_UNITS,
  LIMITS,
  mapLimits,
  type LimitName,
  type LimitRow,
  type Limits,
  type LimitValue,
} from '#shared/limits.js'
import { strings } from '../../../strings/all.js'

const { share: words } = strings

/** The limits as they stand in the form. */
export type LimitsText = Record<LimitName, string>

/** The heading that each limit stands under: what it is counted for. */
const GROUP_OF: Readonly<Record<LimitName, keyof typeof words.limitGroup>> = {
  ...{ concurrent: 'all', queue: 'all', queueTimeMs: 'all' },
  ...{ requestsPerMinute: 'peer', tokensPerMinute: 'peer', tokensPerDay: 'peer' },
  ...{ sourceRequestsPerMinute: 'source', sourceTokensPerMinute: 'source' },
  ...{ strangersRequestsPerMinute: 'strangers', strangersTokensPerMinute: 'strangers' },
  ...{ maxTokens: 'request', maxBodyBytes: 'request' },
  ...{ allowedPeers: 'who', blockedPeers: 'who' },
}

/** The fields of the form under their headings; in each the order of the table. */
export const LIMIT_GROUPS = Object.entries(words.limitGroup).map(([group, { title, hint: about }]) => ({
  ...{ group, title, about },
  fields: LIMIT_NAMES.filter((name) => GROUP_OF[name] === group).map((name) => {
    const { kind, label, hint } = LIMITS[name]
    return { name, isList: kind === 'list', label: label + shownUnit(LIMITS[name]), hint }
  }),
}))

/** Limits for the form. */
export function writeLimits(limits: Limits): LimitsText {
  return mapLimits((row, name) => {
    const value = limits[name]
    return typeof value === 'number' ? String(value / unitOf(row)) : value.join('\n')
  })
}

/** What is wrong with the form, by field; empty when it can be saved. */
export function checkLimits(text: LimitsText): Partial<Record<LimitName, string>> {
  const wrong: Partial<Record<LimitName, string>> = {}
  for (const name of LIMIT_NAMES) {
    const row: LimitRow = LIMITS[name]
    if (row.kind === 'list') continue
    const [min, max] = [row.min / unitOf(row), row.max / unitOf(row)]
    const value = Number(text[name])
    const isWhole = /^\d+$/.test(text[name].trim())
    if (!isWhole || value < min || value > max) wrong[name] = words.wholeNumber(min, max)
  }
  return wrong
}

/** What the form changes; undefined when that is nothing. */
export function limitChanges(before: Limits, text: LimitsText): Partial<Limits> | undefined {
  const after = mapLimits<LimitValue>((row, name) =>
    row.kind === 'list' ? linesOf(text[name]) : Number(text[name]) * unitOf(row),
  )
  const changed = LIMIT_NAMES.filter((name) => JSON.stringify(before[name]) !== JSON.stringify(after[name]))
  return changed.length === 0 ? undefined : Object.fromEntries(changed.map((name) => [name, after[name]]))
}

/** Base units in one unit of the form. */
function unitOf(row: LimitRow): number {
  return row.kind === 'list' ? 1 : LIMIT_UNITS[row.unit]
}

/** ` (s)` behind a label that does not name its unit. */
function shownUnit(row: LimitRow): string {
  return row.kind === 'duration' || row.kind === 'size' ? ` (${row.unit})` : ''
}

function linesOf(text: string): string[] {
  return text.split(/[\s,]+/).filter((line) => line !== '')
}
