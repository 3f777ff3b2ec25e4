import { expect, it } from 'vitest'
import { releaseNotes } from '../../../.ci/release-notes.ts'

const CHANGELOG =
  '# Changelog\n\n## Unreleased\n\n- later\n\n## 1.2.3 – 2026-01-01\n\n### Added\n\n- this\n\n## [1.2.2]\n\n- before\n'

it('takes the section of the version and nothing of its neighbours', () => {
  expect(releaseNotes('v1.2.3', CHANGELOG, '1.2.3')).toBe('### Added\n\n- this\n')
  expect(releaseNotes('v1.2.2', CHANGELOG, '1.2.2')).toBe('- before\n')
})

it('refuses a tag that is not the version of the package', () => {
  expect(() => releaseNotes('v1.2.4', CHANGELOG, '1.2.3')).toThrow('package.json has 1.2.3')
})

it('refuses a version the changelog is silent about', () => {
  expect(() => releaseNotes('v1.2', CHANGELOG, '1.2')).toThrow('no section "## 1.2"')
  expect(() => releaseNotes('v2.0.0', `${CHANGELOG}\n## 2.0.0\n\n`, '2.0.0')).toThrow('no section')
})
