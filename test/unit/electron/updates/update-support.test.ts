import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { whyNoUpdates } from '../../../../src-main/electron/updates/update-support.js'

let dir: string
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'ocf-resources-'))))
afterEach(() => rmSync(dir, { recursive: true, force: true }))

const why = (given: Partial<Parameters<typeof whyNoUpdates>[0]>) =>
  whyNoUpdates({ isPackaged: true, platform: 'linux', resourcesDir: dir, appImage: undefined, ...given })
const describeFeed = (): void => writeFileSync(join(dir, 'app-update.yml'), 'provider: github\n')

test('from the source there are no updates', () => {
  expect(why({ isPackaged: false })).toContain('source code')
})

test.each(['deb', 'rpm'])('a %s package is left to its kind, even where it names a feed', (kind) => {
  describeFeed()
  writeFileSync(join(dir, 'package-type'), `${kind}\n`)
  expect(why({})).toContain(`a ${kind} package`)
})

test('an unpacked archive says so', () => {
  describeFeed()
  expect(why({})).toContain('archive')
})

test('an AppImage, macOS and Windows update themselves where the package names a feed', () => {
  const kinds = [{ appImage: '/home/a/x.AppImage' }, { platform: 'darwin' }, { platform: 'win32' }] as const
  for (const kind of kinds) expect(why(kind)).toContain('does not say where')
  describeFeed()
  for (const kind of kinds) expect(why(kind)).toBeUndefined()
})
