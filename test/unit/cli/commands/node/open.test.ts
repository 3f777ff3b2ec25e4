import { mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { EXIT } from '../../../../../src-main/cli/io.js'
import { OWNER_FILE } from '../../../../fixtures/file-modes.js'
import { cli } from '../../cli-fixture.js'

let dataDir: string
beforeEach(async () => (dataDir = await mkdtemp(join(tmpdir(), 'ocf-open-'))))
afterEach(() => rm(dataDir, { recursive: true, force: true }))

const LINK = 'http://127.0.0.1:8093/#token=kept'

test('ocf open prints the link and nothing else where there is no browser', async () => {
  const { run, output } = cli()
  expect(await run('open', '--data-dir', dataDir)).toBe(EXIT.ok)
  expect(output()).toBe(`${LINK}\n`)
})

test('ocf open gives the browser a private page that leads on, so that the token is on no command line', async () => {
  const openInBrowser = vi.fn((_file: string) => undefined)
  const { run, output } = cli({ openInBrowser })
  expect(await run('open', '--data-dir', dataDir)).toBe(EXIT.ok)
  const file = openInBrowser.mock.calls[0]?.[0] ?? ''
  expect(file).not.toContain('token')
  expect((await stat(file)).mode & 0o777).toBe(OWNER_FILE)
  expect(await readFile(file, 'utf8')).toContain(`url=${LINK}"`)
  expect(output()).not.toContain('token')
})

test('ocf open prints the link on a terminal beside opening the browser', async () => {
  const { run, output } = cli({ openInBrowser: () => undefined, tty: true })
  await run('open', '--data-dir', dataDir)
  expect(output()).toContain(LINK)
})

test('ocf open prints the link where its page cannot be written', async () => {
  const openInBrowser = vi.fn()
  const { run, output } = cli({ openInBrowser })
  expect(await run('open', '--data-dir', join(dataDir, 'missing'))).toBe(EXIT.ok)
  expect(output()).toBe(`${LINK}\n`)
  expect(openInBrowser).not.toHaveBeenCalled()
})

test('ocf open --print opens no browser, and --new-link makes the link anew', async () => {
  const openInBrowser = vi.fn()
  const { run, output } = cli({ openInBrowser })
  await run('open', '--print', '--new-link', '--data-dir', dataDir)
  expect(output()).toBe('http://127.0.0.1:8093/#token=new\n')
  expect(openInBrowser).not.toHaveBeenCalled()
})
