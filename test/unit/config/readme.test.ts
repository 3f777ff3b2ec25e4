import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { expect, it } from 'vitest'
import { SETTING_NAMES, envName, flagName } from '../../../src-main/config/settings.js'
import { settingsTableMarkdown, withSettingsTable } from './settings-markdown.js'

const README = resolve(import.meta.dirname, '../../../README.md')

it("has today's settings in the README (UPDATE_DOCS=1 writes them)", async () => {
  const readme = readFileSync(README, 'utf8')
  const options = { ...(await resolveConfig(README)), parser: 'markdown' }
  const wanted = await format(withSettingsTable(readme), options)
  if (process.env.UPDATE_DOCS === '1') writeFileSync(README, wanted)
  else expect(readme).toBe(wanted)
})

it('tells every setting once, with its flag and its variable', () => {
  const table = settingsTableMarkdown()
  for (const name of SETTING_NAMES) {
    expect(table.split(`| \`${flagName(name)}\` | \`${envName(name)}\` |`)).toHaveLength(2)
  }
})

it('does not touch what is around the markers, and misses them aloud', () => {
  const readme = 'a\n<!-- settings:begin -->\nold\n<!-- settings:end -->\nb\n'
  const renewed = withSettingsTable(readme)
  expect(renewed).toMatch(/^a\n<!-- settings:begin -->\n\n### /)
  expect(renewed).toMatch(/\n<!-- settings:end -->\nb\n$/)
  expect(withSettingsTable(renewed)).toBe(renewed)
  expect(() => withSettingsTable('nothing')).toThrow('README.md lacks')
})
