import { readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { expect, it } from 'vitest'
import { SETTING_NAMES, envName, flagName, settingRow } from '../../../src-main/config/settings.js'
import { formatted } from '../../fixtures/formatted.js'
import { settingsTableMarkdown, withSettingsTable } from './settings-markdown.js'

const PAGE = resolve(import.meta.dirname, '../../../docs/settings.md')

it("has today's settings in docs/settings.md (UPDATE_DOCS=1 writes them)", async () => {
  const page = readFileSync(PAGE, 'utf8')
  const wanted = await formatted(PAGE, withSettingsTable(page))
  if (process.env.UPDATE_DOCS === '1') writeFileSync(PAGE, wanted)
  else expect(page).toBe(wanted)
})

it('tells every setting once, with its flag (a secret has none) and its variable', () => {
  const table = settingsTableMarkdown()
  for (const name of SETTING_NAMES) {
    const given = settingRow(name).secret === true ? name : flagName(name)
    expect(table.split(`| \`${given}\` | \`${envName(name)}\` |`)).toHaveLength(2)
  }
})

it('does not touch what is around the markers, and misses them aloud', () => {
  const page = 'a\n<!-- settings:begin -->\nold\n<!-- settings:end -->\nb\n'
  const renewed = withSettingsTable(page)
  expect(renewed).toMatch(/^a\n<!-- settings:begin -->\n\n## /)
  expect(renewed).toMatch(/\n<!-- settings:end -->\nb\n$/)
  expect(withSettingsTable(renewed)).toBe(renewed)
  expect(() => withSettingsTable('nothing')).toThrow('The page lacks')
})
