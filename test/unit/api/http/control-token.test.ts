import { chmod, lstat, mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ControlToken } from '../../../../src-main/api/http/control-token.js'
import { OWNER_FILE } from '../../../fixtures/file-modes.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'

let dataDir: string
let file: string
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'ocf-token-'))
  file = join(dataDir, 'control-token.json')
})
afterEach(() => rm(dataDir, { recursive: true, force: true }))

/** The token of one start, and what was logged. */
async function start() {
  const log = createRecordingLog()
  const token = new ControlToken({ log }, { dataDir })
  await token.load()
  return { token, log }
}

test('the control token is 32 random bytes, kept for its owner only, and the same at the next start', async () => {
  const { token, log } = await start()
  expect(Buffer.from(token.value, 'base64url')).toHaveLength(32)
  expect((await stat(file)).mode & 0o777).toBe(OWNER_FILE)
  expect((await start()).token.value).toBe(token.value)
  expect(log.lines).toEqual([])
})

test('a control token that was replaced is another one, at the next start too', async () => {
  const { token } = await start()
  const old = token.value
  await token.replace()
  expect(token.value).not.toBe(old)
  expect((await start()).token.value).toBe(token.value)
})

test.each([
  ['empty', ''],
  ['garbage', '\u0000\u0001{'],
  ['half', '{"token":"abc'],
  ['another form', '["x"]'],
  ['a short token', '{"token":"abc"}'],
  ['a token with more around it', `{"token":"${'a'.repeat(44)}"}`],
])('a damaged token file (%s) gives a new control token and a warning without it', async (_what, text) => {
  await writeFile(file, text, { mode: 0o600 })
  const { token, log } = await start()
  expect(log.lines.map(({ level }) => level)).toEqual(['warn'])
  expect(JSON.stringify(log.lines)).not.toContain(token.value)
  expect((await start()).token.value).toBe(token.value)
})

test('a control token that others could read is replaced', async () => {
  const { token } = await start()
  await chmod(file, 0o644)
  const again = await start()
  expect(again.token.value).not.toBe(token.value)
  expect(again.log.lines[0]?.fields).toMatchObject({ reason: 'others could read it' })
  expect((await stat(file)).mode & 0o777).toBe(OWNER_FILE)
})

test('what is no file in the place of the control token is put aside, and a link is not followed', async () => {
  const target = join(dataDir, 'target')
  await writeFile(target, `{"token":"${'a'.repeat(43)}"}`, { mode: 0o600 })
  await symlink(target, file)
  const { token } = await start()
  expect(token.value).not.toBe('a'.repeat(43))
  expect((await lstat(file)).isFile()).toBe(true)
  expect(await readFile(target, 'utf8')).toContain('aaa')
  await rm(file)
  await mkdir(file)
  expect((await start()).token.value).not.toBe(token.value)
  expect((await readdir(dataDir)).filter((name) => name.startsWith('control-token.json.'))).toHaveLength(2)
})
