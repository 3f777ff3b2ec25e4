import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { AppError } from '#shared/errors.js'
import { loadSettings } from '../../../src-main/config/load-settings.js'
import { createSettingsSource, MASK } from '../../../src-main/config/settings-source.js'
import type { SettingName } from '../../../src-main/config/settings.js'
import { writeSettings } from '../../../src-main/config/write-settings.js'
import { OWNER_FILE } from '../../fixtures/file-modes.js'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ocf-settings-'))
  file = join(folder, 'config.yaml')
})
afterEach(() => rmSync(folder, { recursive: true }))

/** The lines of the file but for blank ones, which may come and go. */
const lines = () =>
  read()
    .split('\n')
    .filter((line) => line !== '')
const read = () => readFileSync(file, 'utf8')
const writeSetting = (path: string, name: SettingName, value: unknown): void => writeSettings(path, { [name]: value })
const load = (config = file, flags = {}) => {
  const result = loadSettings({ flags: { config, ...flags }, env: {} })
  if (!result.ok) throw new Error(JSON.stringify(result.problems))
  return result
}

describe('writing one setting', () => {
  it('keeps comments, order and everything else', () => {
    writeFileSync(file, '# mine\nport: 1 # why\n\n# first peers\nbootstrap:\n  static: [a] # home\n')
    writeSetting(file, 'port', 2)
    writeSetting(file, 'bootstrap.addr', ['x', 'y'])
    writeSetting(file, 'gateway.idle-timeout', 90_000)
    expect(read()).toBe(
      '# mine\nport: 2 # why\n\n# first peers\nbootstrap:\n  static: [ a ] # home\n  addr:\n    - x\n    - y\ngateway.idle-timeout: 90s\n',
    )
  })

  it.each([
    [undefined, ''],
    ['', ''],
    ['# mine\n', '# mine\n'],
    ['null\n', ''],
  ])('takes nothing out of a file without settings (%j), and can write into it afterwards', (text, kept) => {
    if (text !== undefined) writeFileSync(file, text)
    for (const name of ['limits.queue', 'port'] as const) writeSetting(file, name, undefined)
    expect(read()).toBe(kept)
    load()
    writeSetting(file, 'port', 2)
    expect(lines()).toEqual([...(kept === '' ? [] : ['# mine']), 'port: 2'])
    expect(load().settings.port).toBe(2)
  })

  it('makes the file and its folder, for its owner only', () => {
    const deep = join(folder, 'a', 'b', 'config.yaml')
    writeSetting(deep, 'mode', 'local')
    expect(readFileSync(deep, 'utf8')).toBe('mode: local\n')
    expect(statSync(deep).mode & 0o777).toBe(OWNER_FILE)
    chmodSync(deep, 0o644)
    writeSetting(deep, 'mode', 'node')
    expect(statSync(deep).mode & 0o777).toBe(OWNER_FILE)
    expect(readdirSync(join(folder, 'a', 'b'))).toEqual(['config.yaml'])
  })

  it.each([
    ['dotted', 'demo-model.tokens-per-second: 1\n', 'demo-model.tokens-per-second: 7\n'],
    ['nested', 'demo-model:\n  tokens-per-second: 1\n', 'demo-model:\n  tokens-per-second: 7\n'],
  ])('changes a %s key where it stands', (_, before, after) => {
    writeFileSync(file, before)
    writeSetting(file, 'demo-model.tokens-per-second', 7)
    expect(read()).toBe(after)
  })

  it('takes a setting out again, wherever it stands', () => {
    writeFileSync(file, '# top\nport: 1\n# peers\nbootstrap:\n  addr: a\nmode: local\nbootstrap.addr: b\n# end\n')
    writeSetting(file, 'bootstrap.addr', undefined)
    expect(lines()).toEqual(['# top', 'port: 1', '# peers', 'mode: local', '# end'])
    writeSetting(file, 'port', undefined)
    expect(lines()).toEqual(['# top', '# peers', 'mode: local', '# end'])
    writeSetting(file, 'mode', undefined)
    expect(lines()).toEqual(['# top', '# peers', '# end'])
    writeSetting(file, 'seed', 'x')
    expect(load().settings.seed).toBe('x')
    expect(lines()).toEqual(['# top', '# peers', '# end', 'seed: x'])
  })

  it('leaves an empty file when the last setting goes', () => {
    writeFileSync(file, 'port: 1\n')
    writeSetting(file, 'port', undefined)
    expect(read()).toBe('')
  })

  it('writes JSON into a JSON file', () => {
    const json = join(folder, 'config.json')
    writeFileSync(json, '{"service": {"name": "llm", "port": 1}}')
    writeSetting(json, 'service.port', 2)
    writeSetting(json, 'mode', 'local')
    expect(JSON.parse(readFileSync(json, 'utf8'))).toEqual({
      service: { name: 'llm' },
      'service.port': 2,
      mode: 'local',
    })
  })

  it('follows a link and leaves it one', () => {
    const target = join(folder, 'target.yaml')
    writeFileSync(target, 'port: 1\n')
    symlinkSync(target, file)
    writeSetting(file, 'port', 2)
    expect(readFileSync(target, 'utf8')).toBe('port: 2\n')
    expect(readdirSync(folder).toSorted()).toEqual(['config.yaml', 'target.yaml'])
  })

  it.each(['port: [', '- a\n- b\n'])('refuses a file that is none of settings and leaves it as it is: %j', (text) => {
    writeFileSync(file, text)
    expect(() => writeSetting(file, 'port', 1)).toThrow(expect.objectContaining({ code: 'invalid_settings' }))
    expect(read()).toBe(text)
  })

  it('tells a file that cannot be written, and leaves nothing behind', () => {
    writeFileSync(file, 'port: 1\n')
    expect(() => writeSetting(join(file, 'config.yaml'), 'port', 1)).toThrow(
      expect.objectContaining({ code: 'invalid_settings', message: expect.stringContaining("can't be written") }),
    )
    expect(readdirSync(folder)).toEqual(['config.yaml'])
  })

  it('reads back what was written, whatever the text', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 40 }), (seed) => {
        writeSetting(file, 'seed', seed)
        expect(load().settings.seed).toBe(seed)
      }),
      { numRuns: 50 },
    )
  })
})

describe('the settings page', () => {
  const page = (flags = {}) => {
    writeFileSync(file, 'seed: secret-seed\nlog-level: warn\n', { flag: 'a' })
    const live: unknown[] = []
    const made = createSettingsSource({ ...load(file, flags), onLiveChange: (changes) => live.push(changes) })
    return { page: made, live }
  }

  it('lists every setting with value and origin, and no secret', () => {
    const views = page().page.list()
    expect(views.find(({ name }) => name === 'seed')).toMatchObject({ value: MASK, origin: 'file' })
    expect(views.find(({ name }) => name === 'table.lease')).toMatchObject({
      value: '10m',
      origin: 'default',
      restart: true,
    })
    expect(JSON.stringify(views)).not.toContain('secret-seed')
  })

  it('saves a value as a person writes it, and null takes it out', async () => {
    const { page: settings, live } = page()
    expect(await settings.save('table.lease', '5 m')).toEqual({ restartNeeded: true })
    expect(load().settings['table.lease']).toBe(300_000)
    expect(await settings.save('gateway.max-body', '1 MiB')).toEqual({ restartNeeded: false })
    expect(load().settings['gateway.max-body']).toBe(1_048_576)
    expect(await settings.save('log-level', 'debug')).toEqual({ restartNeeded: false })
    expect(live).toEqual([{ 'gateway.max-body': 1_048_576 }, { 'log-level': 'debug' }])
    await settings.save('gateway.max-body', null)
    expect(load().origins['gateway.max-body'].kind).toBe('default')
  })

  it('shows a live change at once, and others when they count', async () => {
    const { page: settings } = page()
    const shown = (name: string) => settings.list().find((view) => view.name === name)
    await settings.save('cors-origins', 'http://localhost:3000')
    expect(shown('cors-origins')).toMatchObject({ value: 'http://localhost:3000', origin: 'file', restart: false })
    await settings.save('cors-origins', null)
    expect(shown('cors-origins')).toMatchObject({ value: '*', origin: 'default' })
    await settings.save('port', '1234')
    expect(shown('port')).toMatchObject({ value: '8092', restart: true })
  })

  it('says that a change waits while a flag overrides it', async () => {
    const { page: settings, live } = page({ 'log-level': 'error' })
    expect(await settings.save('log-level', 'debug')).toEqual({ restartNeeded: true })
    expect(live).toEqual([])
  })

  it('says that a change waits where nobody applies it', async () => {
    writeFileSync(file, 'mode: local')
    const settings = createSettingsSource(load())
    expect(await settings.save('log-level', 'debug')).toEqual({ restartNeeded: true })
  })

  it('refuses what would keep the next start from working, also together with what was saved before', async () => {
    const { page: settings } = page()
    await settings.save('port', '1234')
    await expect(settings.save('api-port', '1234')).rejects.toMatchObject({
      code: 'invalid_settings',
      param: 'api-port',
    })
    await settings.save('port', null)
    expect(await settings.save('api-port', '1234')).toEqual({ restartNeeded: true })
    expect(load().settings['api-port']).toBe(1234)
  })

  it('saves several settings in one write, and puts them in force together', async () => {
    const { page: settings, live } = page()
    const saved = await settings.saveAll({
      'limits.queue': '3',
      'limits.max-body': '1 MiB',
      'log-level': null,
      port: '5',
    })
    expect(saved).toEqual({ restartNeeded: true })
    expect(lines()).toEqual(['seed: secret-seed', 'limits.queue: 3', 'limits.max-body: 1MiB', 'port: 5'])
    expect(live).toEqual([{ 'limits.queue': 3, 'limits.max-body': 1_048_576, 'log-level': 'info' }])
  })

  it.each([
    [{ 'limits.queue': '3', 'limits.concurrent': 'many' }],
    [{ 'limits.queue': '3', 'limits.no-such': '1' }],
    [{ port: '1234', 'api-port': '1234' }],
  ])('saves none of %j, where one cannot be', async (changes) => {
    const { page: settings, live } = page()
    const before = [read(), settings.list()]
    await expect(settings.saveAll(changes)).rejects.toBeInstanceOf(AppError)
    expect([read(), settings.list()]).toEqual(before)
    expect(live).toEqual([])
  })

  it('puts nothing in force that could not be stored, and says so', async () => {
    const { page: settings, live } = page()
    const before = settings.list()
    const kept = read()
    // A folder in the file's place: not even root can write it.
    rmSync(file)
    mkdirSync(file)
    for (const save of [
      () => settings.save('log-level', 'debug'),
      () => settings.saveAll({ 'limits.queue': '3', 'limits.concurrent': '1' }),
    ]) {
      await expect(save()).rejects.toMatchObject({
        code: 'invalid_settings',
        message: expect.stringMatching(/can't be written: .*\. Nothing was changed\.$/),
      })
    }
    expect(settings.list()).toEqual(before)
    expect(live).toEqual([])
    expect(readdirSync(folder)).toEqual(['config.yaml'])

    rmSync(file, { recursive: true })
    writeFileSync(file, kept)
    await settings.saveAll({ 'limits.queue': '3', 'limits.concurrent': '1' })
    expect(live).toEqual([{ 'limits.queue': 3, 'limits.concurrent': 1 }])
  })

  it('lets the two settings of a service be saved one after the other', async () => {
    const { page: settings } = page()
    await settings.save('service.name', 'llm')
    await settings.save('service.port', '8000')
    expect(load().settings['service.port']).toBe(8000)
  })

  it.each([
    ['prot', '1', 'not_found'],
    ['port', 'x', 'invalid_settings'],
    ['config', '/x', 'invalid_settings'],
  ])('refuses %s=%s and changes nothing', async (name, value, code) => {
    const { page: settings } = page()
    const before = read()
    await expect(settings.save(name, value)).rejects.toMatchObject({ code })
    await expect(settings.save(name, value)).rejects.toBeInstanceOf(AppError)
    expect(read()).toBe(before)
  })
})
