import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createSettingsSource } from '../../../src-main/api/handlers/settings-source.js'
import { loadSettings } from '../../../src-main/config/load-settings.js'

let folder: string
let file: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocf-settings-'))
  file = join(folder, 'config.yaml')
})
afterEach(() => rm(folder, { recursive: true, force: true }))

function load(flags: Record<string, unknown> = {}) {
  const loaded = loadSettings({ flags, env: {}, folders: { data: folder, config: folder } })
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems))
  return createSettingsSource(loaded)
}

test('every setting is listed as a person would write it, with its origin', () => {
  const byName = new Map(
    load({ port: '9000' })
      .list()
      .map((setting) => [setting.name, setting]),
  )
  expect(byName.get('port')).toMatchObject({ value: '9000', origin: 'flag', originLabel: 'flag --port' })
  expect(byName.get('gateway.max-body')).toMatchObject({ value: '64MiB', origin: 'default' })
  expect(byName.get('gateway.idle-timeout')?.value).toBe('5m')
})

test('the seed is never shown', () => {
  expect(JSON.stringify(load({ seed: 'my secret seed' }).list())).not.toContain('my secret seed')
})

test('a saved setting is in force at the next start, and comments stay', async () => {
  await writeFile(file, '# mine\nport: 9000 # here\ngateway:\n  idle-timeout: 1m\n')
  const settings = load()
  await settings.save('port', '9001')
  await settings.save('gateway.idle-timeout', '30s')
  await settings.save('cors-origins', 'http://a.example,http://b.example')
  const text = await readFile(file, 'utf8')
  expect(text).toContain('# mine')
  expect(text.match(/idle-timeout/g)).toHaveLength(1)
  const next = new Map(
    load()
      .list()
      .map(({ name, value }) => [name, value]),
  )
  expect(next.get('port')).toBe('9001')
  expect(next.get('gateway.idle-timeout')).toBe('30s')
  expect(next.get('cors-origins')).toBe('http://a.example, http://b.example')
  expect((await stat(file)).mode & 0o777).toBe(0o600)
})

test('null takes a setting out again, however it was written', async () => {
  await writeFile(file, 'gateway:\n  idle-timeout: 1m\nport: 9000\n')
  const settings = load()
  await settings.save('gateway.idle-timeout', null)
  await settings.save('port', null)
  const origins = load()
    .list()
    .map(({ origin }) => origin)
  expect(new Set(origins)).toEqual(new Set(['default']))
})

test('settings saved at the same time all arrive', async () => {
  const settings = load()
  await Promise.all([settings.save('port', '9001'), settings.save('tcpport', '9002'), settings.save('wsport', '9003')])
  const next = new Map(
    load()
      .list()
      .map(({ name, value }) => [name, value]),
  )
  expect(['port', 'tcpport', 'wsport'].map((name) => next.get(name))).toEqual(['9001', '9002', '9003'])
})

test('bad values and unknown names are refused and leave the file alone', async () => {
  const settings = load()
  await expect(settings.save('port', '99999')).rejects.toMatchObject({ code: 'invalid_settings', param: 'port' })
  await expect(settings.save('nothing', '1')).rejects.toMatchObject({ code: 'not_found' })
  await expect(settings.save('config', '/etc/passwd')).rejects.toMatchObject({ code: 'invalid_settings' })
  await expect(readFile(file, 'utf8')).rejects.toMatchObject({ code: 'ENOENT' })
})

test('a broken file is not overwritten', async () => {
  const settings = load()
  await writeFile(file, 'port: [')
  await expect(settings.save('port', '9001')).rejects.toMatchObject({ code: 'invalid_settings' })
  expect(await readFile(file, 'utf8')).toBe('port: [')
})
