import { describe, expect, it } from 'vitest'
import { parseSetting } from '../../../src-main/config/load-settings.js'
import { writtenValue } from '../../../src-main/config/settings-table.js'
import { SETTING_NAMES, settingRow, type SettingName } from '../../../src-main/config/settings.js'
import { loaded } from './given.js'

const good: [SettingName, unknown, unknown][] = [
  ['mode', ' local ', 'local'],
  ['port', '0', 0],
  ['port', 65_535, 65_535],
  ['service.port', '1', 1],
  ['seed', 42, '42'],
  ['host', '[::1]', '::1'],
  ['host', 'my-box.example', 'my-box.example'],
  ['public-addr', '', ''],
  ['public-addr', '1.2.3.4', '1.2.3.4'],
  ['public-addr', '1.2.3.4:80', '1.2.3.4:80'],
  ['public-addr', '2001:db8::1', '2001:db8::1'],
  ['public-addr', '[2001:db8::1]:43905', '[2001:db8::1]:43905'],
  ['public-addr', 'node.example:43905', 'node.example:43905'],
  ['service.health-path', '/v1/models?x=1', '/v1/models?x=1'],
  ['service.name', 'llm', 'llm'],
  ['cleanslate', 'YES', true],
  ['cleanslate', 'off', false],
  ['cleanslate', 1, true],
  ['cleanslate', false, false],
  ['service.health-interval', '500ms', 500],
  ['service.health-interval', '1.5s', 1500],
  ['service.health-interval', 10, 10_000],
  ['service.health-interval', '10', 10_000],
  ['service.health-interval', '1h', 3_600_000],
  ['gateway.max-body', '64MiB', 67_108_864],
  ['gateway.max-body', '10MB', 10_000_000],
  ['gateway.max-body', '1024', 1024],
  ['gateway.max-body', 2048, 2048],
  ['service.health-retries', '6000', 6000],
  ['p2p-host', '127.0.0.1, ::1', ['127.0.0.1', '::1']],
  ['cors-origins', ['*', 'tauri://localhost', 'http://[::1]:3000'], ['*', 'tauri://localhost', 'http://[::1]:3000']],
  ['allowed-hosts', 'Node.Example.org., *.TS.net,box', ['node.example.org', '*.ts.net', 'box']],
  ['service.identity-group', 'model=a=b,all,user=*', ['model=a=b', 'all', 'user=*']],
  ['service.identity-group', '["model=a,b"]', ['model=a,b']],
  ['service.shared-path', 'POST /v1/score,/x/*', ['POST /v1/score', '/x/*']],
  ['bootstrap.addrs', '["/ip4/1.2.3.4/tcp/1", "b"]', ['["/ip4/1.2.3.4/tcp/1", "b"]']],
  ['bootstrap.addr', ['a,b', 'c'], ['a,b', 'c']],
  ['bootstrap.addr', ' ', []],
]

const bad: [SettingName, unknown][] = [
  ['mode', 'lokal'],
  ['mode', 3],
  ['port', '-1'],
  ['port', '65536'],
  ['port', '80.5'],
  ['port', ''],
  ['port', '0x10'],
  ['port', '1e3'],
  ['port', true],
  ['port', Number.NaN],
  ['service.port', 0],
  ['seed', { a: 1 }],
  ['seed', false],
  ['host', 'http://localhost'],
  ['host', 'localhost:80'],
  ['host', '999.1.1.1'],
  ['host', ''],
  ['public-addr', 'http://x'],
  ['public-addr', 'x:0'],
  ['public-addr', 'x:70000'],
  ['public-addr', 'a b'],
  ['public-addr', '/ip4/1.2.3.4'],
  ['public-addr', 'fe80::1%eth0'],
  ['public-addr', '0.0.0.0'],
  ['public-addr', '[::]:43905'],
  ['data-dir', ''],
  ['service.name', 'a/b'],
  ['service.name', 'x'.repeat(65)],
  ['service.health-path', 'health'],
  ['cleanslate', 'maybe'],
  ['cleanslate', 2],
  ['table.lease', '10 minutes'],
  ['table.lease', '10ms'],
  ['table.lease', -5],
  ['table.lease', '25h'],
  ['gateway.max-body', '64MX'],
  ['gateway.max-body', 10],
  ['gateway.max-body', '2GiB'],
  ['service.health-retries', 0],
  ['pause.schedule', 'at night'],
  ['pause.schedule', 'Mon-Fri 25:00-08:00'],
  ['limits.block-peers', 'somebody'],
  ['limits.concurrent', '-1'],
  ['demo-model.tokens-per-second', '1.5'],
  ['p2p-host', 'localhost'],
  ['p2p-host', 'fe80::1%eth0'],
  ['p2p-host', { a: 1 }],
  ['cors-origins', 'localhost:3000'],
  ['allowed-hosts', '*'],
  ['allowed-hosts', '*.'],
  ['allowed-hosts', 'node.example:8092'],
  ['allowed-hosts', 'https://node.example'],
  ['allowed-hosts', 'a.*.example'],
  ['allowed-hosts', '*node.example'],
  ['allowed-hosts', '*.10.0.0.1'],
  ['cors-origins', 'http://x/path'],
  ['service.identity-group', 'model'],
  ['service.identity-group', '=x'],
  ['service.identity-group', 'model='],
  ['service.shared-path', 'post /x'],
  ['service.shared-path', 'x'],
  ['bootstrap.addr', Array.from({ length: 257 }, () => 'a')],
  ['bootstrap.addr', ['a', null]],
]

describe('values', () => {
  it.each(good)('of %s: %j is read as %j', (name, raw, value) => {
    expect(parseSetting(name, raw)).toEqual({ ok: true, value })
  })

  it.each(bad)('of %s: %j is refused with a sentence', (name, raw) => {
    expect(parseSetting(name, raw)).toEqual({
      ok: false,
      sentence: expect.stringMatching(/^(.+ is not|It needs a value:) .+\.$/s),
    })
  })

  it('has a bad value of every kind among these', () => {
    const kinds = new Set(bad.map(([name]) => settingRow(name).kind))
    expect(kinds).toEqual(new Set(SETTING_NAMES.map((name) => settingRow(name).kind)))
  })

  it('names the entry of a list that is wrong', () => {
    expect(parseSetting('service.identity-group', ['all', 'oops'])).toMatchObject({
      sentence: expect.stringContaining('"oops" is not key=value'),
    })
  })
})

it('reads every default the way it is written into a file', () => {
  const { settings } = loaded()
  for (const name of SETTING_NAMES) {
    const value = settings[name]
    if (value === undefined || value === '') continue
    expect([name, parseSetting(name, writtenValue(name, value))]).toEqual([name, { ok: true, value }])
  }
})
