import { expect, test } from 'vitest'
import { limitsCalls, LimitsSchema } from '#shared/contract/sharing/limits.js'
import { countsTokens, LIMIT_NAMES, LIMIT_UNITS, LIMITS, readLimits, type LimitRow } from '#shared/limits.js'
import { SETTINGS } from '../../src-main/config/settings.js'
import {
  checkLimits,
  LIMIT_GROUPS,
  limitChanges,
  writeLimits,
} from '../../src-renderer/features/share/limits/limits-form.js'
import { DEFAULT_LIMITS } from '../fixtures/default-limits.js'
import { cli } from './cli/cli-fixture.js'
import { loaded } from './config/given.js'

const { input } = limitsCalls['limits.set']
const text = writeLimits(DEFAULT_LIMITS)
const numbers = LIMIT_NAMES.flatMap((name) => {
  const row: LimitRow = LIMITS[name]
  return row.kind === 'list' ? [] : [{ name, min: row.min, max: row.max, unit: LIMIT_UNITS[row.unit] }]
})

test('the limits of a node without settings are the defaults of the table', () => {
  expect(readLimits(loaded().settings)).toEqual(DEFAULT_LIMITS)
  expect(LimitsSchema.parse(DEFAULT_LIMITS)).toEqual(DEFAULT_LIMITS)
})

test.each(LIMIT_NAMES)('the limit %s is a live setting, an input of limits.set and a field of the form', (name) => {
  expect(SETTINGS[LIMITS[name].setting]).toMatchObject({
    ...{ group: 'limits', restart: false },
    ...{ kind: LIMITS[name].kind, default: LIMITS[name].default, help: LIMITS[name].help, cost: LIMITS[name].cost },
  })
  expect(input.parse({ [name]: DEFAULT_LIMITS[name] })).toEqual({ [name]: DEFAULT_LIMITS[name] })
  const fields = LIMIT_GROUPS.flatMap((group) => group.fields)
  expect(fields.filter((field) => field.name === name)).toHaveLength(1)
})

test.each(numbers)('$name has one range in setting, contract and form', ({ name, min, max, unit }) => {
  expect(SETTINGS[LIMITS[name].setting]).toMatchObject({ min, max })
  for (const value of [min, max]) {
    expect(input.safeParse({ [name]: value }).success).toBe(true)
    const written = { ...text, [name]: String(value / unit) }
    expect(checkLimits(written)).toEqual({})
    if (value !== DEFAULT_LIMITS[name]) expect(limitChanges(DEFAULT_LIMITS, written)).toEqual({ [name]: value })
  }
  for (const value of [min - unit, max + unit]) {
    expect(input.safeParse({ [name]: value }).success).toBe(false)
    expect(checkLimits({ ...text, [name]: String(value / unit) })).toHaveProperty(name)
  }
})

test('what is no limit, or no value of one, is refused', () => {
  expect(input.safeParse({ concurent: 1 }).success).toBe(false)
  expect(input.safeParse({ concurrent: '1' }).success).toBe(false)
  expect(input.safeParse({ blockedPeers: Array<string>(257).fill('a') }).success).toBe(false)
  expect(input.parse({})).toEqual({})
})

test('tokens are counted by the limits that have them as their unit', () => {
  expect(countsTokens(DEFAULT_LIMITS)).toBe(false)
  expect(countsTokens({ ...DEFAULT_LIMITS, concurrent: 1, requestsPerMinute: 5 })).toBe(false)
  expect(countsTokens({ ...DEFAULT_LIMITS, maxTokens: 1 })).toBe(true)
})

test('the help of `ocf limits` names all of them', async () => {
  const { run, output } = cli()
  await run('limits', '--help')
  for (const name of LIMIT_NAMES) expect(output()).toContain(LIMITS[name].setting.slice('limits.'.length))
})
