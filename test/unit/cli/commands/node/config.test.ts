import { describe, expect, it } from 'vitest'
import { EXIT } from '../../../../../src-main/cli/io.js'
import { SETTING_NAMES } from '../../../../../src-main/config/settings.js'
import { cli } from '../../cli-fixture.js'

describe('ocf config', () => {
  const given = { env: { OCF_SEED: 'hush' }, files: { '/os/config/config.yaml': 'table: {lease: 20m}' } }

  it('prints every setting with its value and origin, and no secret', async () => {
    const { run, output } = cli(given)
    expect(await run('config', '--port=0')).toBe(EXIT.ok)
    const lines = output().split('\n')
    const line = (name: string) => lines.find((text) => text.startsWith(`${name} `))?.split(/ {2,}/)
    expect(line('port')).toEqual(['port', '0', 'flag --port'])
    expect(line('table.lease')).toEqual(['table.lease', '20m', 'file /os/config/config.yaml: table.lease'])
    expect(line('seed')).toEqual(['seed', '[hidden]', 'environment OCF_SEED'])
    expect(line('gateway.max-body')).toEqual(['gateway.max-body', '64MiB', 'default'])
    expect(output()).not.toContain('\u001b')
  })

  it('prints JSON in base units', async () => {
    const { run, output } = cli(given)
    await run('config', '--json')
    const json = JSON.parse(output())
    expect(json['table.lease']).toEqual({
      value: 1_200_000,
      origin: 'file',
      from: 'file /os/config/config.yaml: table.lease',
    })
    expect(json['service.port'].value).toBeNull()
    expect(output()).not.toContain('hush')
    expect(Object.keys(json)).toEqual(SETTING_NAMES)
  })

  it('tells broken settings and exits with 2', async () => {
    const { run, errors } = cli({ env: { OCF_PORT: 'x' } })
    expect(await run('config')).toBe(EXIT.usage)
    expect(errors()).toContain('environment OCF_PORT')
  })
})
