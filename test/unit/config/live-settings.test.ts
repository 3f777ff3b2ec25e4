import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { createLiveSettings } from '../../../src-main/config/live-settings.js'
import { SETTING_NAMES, settingRow } from '../../../src-main/config/settings.js'
import { loaded } from './given.js'

let folder: string
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'ocf-live-'))))
afterEach(() => rmSync(folder, { recursive: true }))

function open(env: Record<string, string> = {}) {
  const { settings, origins } = loaded({ env })
  const setLevel = vi.fn()
  return {
    setLevel,
    live: createLiveSettings({
      settings: { ...settings, config: join(folder, 'c.yaml') },
      origins,
      logger: { setLevel },
    }),
  }
}

it('changes at once what says that it needs no restart', async () => {
  const values: Record<string, string> = {
    'log-level': 'debug',
    'cors-origins': 'http://a.example',
    'allowed-hosts': 'a.example',
    'gateway.max-body': '1MiB',
    'gateway.connect-timeout': '1s',
    'gateway.idle-timeout': '2s',
  }
  const unrestarted = SETTING_NAMES.filter((name) => !settingRow(name).restart)
  expect(unrestarted).toEqual(expect.arrayContaining(Object.keys(values)))
  const { live, setLevel } = open()
  for (const [name, value] of Object.entries(values)) {
    expect(await live.source.save(name, value), name).toEqual({ restartNeeded: false })
  }
  expect(live.current).toMatchObject({
    'log-level': 'debug',
    'cors-origins': ['http://a.example'],
    'allowed-hosts': ['a.example'],
    'gateway.max-body': 1_048_576,
    'gateway.connect-timeout': 1_000,
    'gateway.idle-timeout': 2_000,
  })
  expect(setLevel).toHaveBeenCalledExactlyOnceWith('debug')
})

it('goes back to the default when a setting is taken out', async () => {
  const { live, setLevel } = open()
  await live.source.save('log-level', 'trace')
  await live.source.save('log-level', null)
  expect(live.current['log-level']).toBe('info')
  expect(setLevel).toHaveBeenLastCalledWith('info')
})

it('leaves what needs a restart, and what the environment overrides, as it is', async () => {
  const { live, setLevel } = open({ OCF_LOG_LEVEL: 'error' })
  expect(await live.source.save('port', '9000')).toEqual({ restartNeeded: true })
  expect(await live.source.save('log-level', 'debug')).toEqual({ restartNeeded: true })
  expect(live.current.port).toBe(8092)
  expect(live.current['log-level']).toBe('error')
  expect(setLevel).not.toHaveBeenCalled()
})

it('has all of several changes in force before it tells of the first', async () => {
  const { live } = open()
  const seen: unknown[] = []
  live.subscribe((name) => seen.push([name, live.current['limits.concurrent'], live.current['limits.block-peers']]))
  const peer = `12D3KooW${'a'.repeat(44)}`
  await live.source.saveAll({ 'limits.concurrent': '9', 'limits.block-peers': peer })
  expect(seen).toEqual([
    ['limits.concurrent', 9, [peer]],
    ['limits.block-peers', 9, [peer]],
  ])
})

it('keeps what is in force where the file cannot be written', async () => {
  const { live, setLevel } = open()
  const told = vi.fn()
  live.subscribe(told)
  mkdirSync(join(folder, 'c.yaml'))
  await expect(live.source.saveAll({ 'limits.queue': '3', 'log-level': 'debug' })).rejects.toThrow(
    'Nothing was changed',
  )
  expect(live.current['limits.queue']).not.toBe(3)
  expect([told, setLevel].map((spy) => spy.mock.calls)).toEqual([[], []])
})
