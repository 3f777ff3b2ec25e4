import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createApiKeys, type ApiKeys } from '../../../../src-main/services/secrets/index.js'
import { OWNER_FILE } from '../../../fixtures/file-modes.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'

let dir: string
let file: string
let nowMs: number
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ocf-api-keys-'))
  file = join(dir, 'api-keys.json')
  nowMs = Date.UTC(2026, 0, 31, 12)
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

async function open(log = createRecordingLog()): Promise<ApiKeys> {
  const keys = createApiKeys({ clock: { now: () => nowMs }, log }, { file })
  await keys.start(new AbortController().signal)
  return keys
}

test('an API key has 32 random bytes and only its SHA-256 is kept, in a file of its owner alone', async () => {
  const keys = await open()
  const { key, entry } = await keys.add('phone')
  expect(key).toMatch(/^ocf_[A-Za-z0-9_-]{43}$/)
  expect(Buffer.from(key.slice(4), 'base64url')).toHaveLength(32)
  expect(readFileSync(file, 'utf8')).not.toContain(key.slice(4, 14))
  expect(statSync(file).mode & 0o777).toBe(OWNER_FILE)
  expect(entry).toEqual({ id: expect.any(String), name: 'phone', createdDay: '2026-01-31', lastUsedDay: null })
  expect((await keys.add('laptop')).key).not.toBe(key)
})

test('an API key is known after a restart with the day of its last use, and no other text is', async () => {
  const first = await open()
  const { key } = await first.add('phone')
  expect(first.find(key)?.name).toBe('phone')
  nowMs += 86_400_000
  expect(first.find(key)?.name).toBe('phone')
  await first.stop()
  const again = await open()
  expect(again.list()).toMatchObject([{ name: 'phone', createdDay: '2026-01-31', lastUsedDay: '2026-02-01' }])
  expect(again.find(key)?.name).toBe('phone')
  for (const other of ['', 'ocf_', key.slice(1), `${key} `, `ocf_${'A'.repeat(43)}`])
    expect(again.find(other)).toBeUndefined()
})

test('a revoked API key opens nothing from that moment on, also before its file is written and after a restart', async () => {
  const keys = await open()
  const { key } = await keys.add('phone')
  const revoking = keys.revoke('phone')
  expect(keys.find(key)).toBeUndefined()
  await revoking
  expect((await open()).find(key)).toBeUndefined()
  await expect(keys.revoke('phone')).rejects.toMatchObject({ code: 'not_found' })
})

test('an API key that cannot be written opens nothing, and one whose end cannot be written is refused all the same', async () => {
  const keys = await open()
  const { key } = await keys.add('phone')
  rmSync(dir, { recursive: true })
  writeFileSync(dir, 'no folder any more')
  await expect(keys.add('laptop')).rejects.toMatchObject({ code: 'data_dir_unusable' })
  expect(keys.list().map(({ name }) => name)).toEqual(['phone'])
  await expect(keys.revoke('phone')).rejects.toMatchObject({
    code: 'data_dir_unusable',
    message: expect.stringContaining('counts again after a restart') as string,
  })
  expect(keys.find(key)).toBeUndefined()
})

test('a damaged file of API keys opens nothing and is put aside when the next key is made', async () => {
  writeFileSync(file, '{"keys": [{"name": "phone"}]}')
  const log = createRecordingLog()
  const keys = await open(log)
  expect(keys.list()).toEqual([])
  expect(log.lines.map(({ message }) => message).join()).toContain('none of them counts')
  const { key } = await keys.add('phone')
  expect(readFileSync(`${file}.damaged`, 'utf8')).toContain('"phone"')
  expect((await open()).find(key)?.name).toBe('phone')
})

test('names of API keys are given once, whatever their case, and never look like the id of another', async () => {
  const keys = await open()
  const { entry } = await keys.add('Phone')
  for (const name of ['Phone', 'phone', entry.id]) {
    await expect(keys.add(name)).rejects.toMatchObject({ code: 'invalid_request' })
  }
  const both = await Promise.allSettled([keys.add('twice'), keys.add('twice')])
  expect(both.map(({ status }) => status)).toEqual(['fulfilled', 'rejected'])
})

test('the key of this node’s own commands opens the gateway, is new at each start and stands in no list or file', async () => {
  const keys = await open()
  await keys.add('phone')
  expect(keys.find(keys.own)).toMatchObject({ name: null })
  expect(JSON.stringify(keys.list()) + readFileSync(file, 'utf8')).not.toContain(keys.own)
  expect((await open()).find(keys.own)).toBeUndefined()
})
