import { expect, it } from 'vitest'
import { nearNames } from '../../../src-main/config/near-names.js'
import { SETTING_NAMES } from '../../../src-main/config/settings.js'

it.each([
  ['prot', ['port']],
  ['dataDir', ['data-dir']],
  ['data_dir', ['data-dir']],
  ['health-path', ['service.health-path']],
  ['bootstrap', []],
  ['bootstrap.adr', ['bootstrap.addr']],
  ['zzzzzz', []],
  ['x'.repeat(10_000), []],
])('%.20s is near to %j', (name, expected) => {
  expect(nearNames(name, SETTING_NAMES)).toEqual(expected)
})
