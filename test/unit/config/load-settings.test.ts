import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { stringify } from 'yaml'
import { loadSettings } from '../../../src-main/config/load-settings.js'
import { SETTINGS, SETTING_NAMES, envName, settingRow, type SettingName } from '../../../src-main/config/settings.js'
import { FOLDERS, load, loaded, problems } from './given.js'

const OS_FILE = '/os/config/config.yaml'

describe('defaults', () => {
  it('are those of the table, with the data folder and the file of the system', () => {
    const { settings, origins, warnings } = loaded()
    expect(settings).toMatchObject({
      mode: 'node',
      host: 'localhost',
      port: 8092,
      'api-port': 8093,
      tcpport: 43905,
      wsport: 43906,
      udpport: 59820,
      'p2p-host': ['0.0.0.0', '::'],
      'service.port': undefined,
      'service.health-interval': 10_000,
      'gateway.max-body': 67_108_864,
      'gateway.idle-timeout': 300_000,
      'table.lease': 600_000,
      'cors-origins': ['*'],
      'data-dir': '/os/data',
      config: OS_FILE,
    })
    expect(Object.keys(settings).toSorted()).toEqual([...SETTING_NAMES].toSorted())
    expect(Object.values(origins).every(({ kind }) => kind === 'default')).toBe(true)
    expect(warnings).toEqual([])
  })

  it('are not shared between two loads', () => {
    loaded().settings['cors-origins'].push('http://changed')
    expect(loaded().settings['cors-origins']).toEqual(['*'])
  })
})

describe('precedence', () => {
  it('is defaults < file < environment < flags, and each origin is told', () => {
    const { settings, origins } = loaded({
      files: { [OS_FILE]: 'port: 1001\ntcpport: 1002\nwsport: 1003\n' },
      env: { OCF_TCPPORT: '2002', OCF_WSPORT: '2003' },
      flags: { wsport: '3003' },
    })
    expect([settings.port, settings.tcpport, settings.wsport]).toEqual([1001, 2002, 3003])
    expect([origins.port, origins.tcpport, origins.wsport, origins.mode].map(({ label }) => label)).toEqual([
      `file ${OS_FILE}: port`,
      'environment OCF_TCPPORT',
      'flag --wsport',
      'default',
    ])
  })

  it('holds for any mix of sources: the strongest one given wins', () => {
    const values: [SettingName, fc.Arbitrary<unknown>][] = [
      ['udpport', fc.integer({ min: 0, max: 65_535 })],
      ['cleanslate', fc.boolean()],
      ['mode', fc.constantFrom('standalone', 'local', 'node')],
      ['axiom.dataset', fc.stringMatching(/^[a-z]{1,8}$/)],
      ['cors-origins', fc.array(fc.stringMatching(/^http:\/\/[a-z]{1,5}$/), { minLength: 1, maxLength: 3 })],
    ]
    const source = fc.record(Object.fromEntries(values), { requiredKeys: [] })
    fc.assert(
      fc.property(source, source, source, (file, env, flags) => {
        const asText = (value: unknown) => (Array.isArray(value) ? value.join(',') : String(value))
        const { settings, origins } = loaded({
          files: { [OS_FILE]: stringify(file) },
          env: Object.fromEntries(
            Object.entries(env).map(([name, value]) => [envName(name as SettingName), asText(value)]),
          ),
          flags: Object.fromEntries(Object.entries(flags).map(([name, value]) => [name, asText(value)])),
        })
        for (const [name] of values) {
          const [kind, value] =
            name in flags
              ? ['flag', flags[name]]
              : name in env
                ? ['environment', env[name]]
                : name in file
                  ? ['file', file[name]]
                  : ['default', SETTINGS[name].default]
          expect(settings[name]).toEqual(value)
          expect(origins[name].kind).toBe(kind)
        }
      }),
    )
  })

  it('takes an empty environment variable as not given', () => {
    expect(loaded({ env: { OCF_SEED: '', OCF_PORT: '' } }).origins.port.kind).toBe('default')
  })
})

describe('the settings file', () => {
  it('may nest keys, dot them or mix both', () => {
    const { settings } = loaded({
      files: {
        [OS_FILE]: 'bootstrap:\n  addr: [a, b]\n  static: c\ngateway.max-body: 1MiB\nservice: {health-interval: 2m}\n',
      },
    })
    expect(settings['bootstrap.addr']).toEqual(['a', 'b'])
    expect(settings['bootstrap.static']).toEqual(['c'])
    expect(settings['gateway.max-body']).toBe(1_048_576)
    expect(settings['service.health-interval']).toBe(120_000)
  })

  it('may be JSON', () => {
    const files = { '/os/config/config.json': '{"port": 0, "demo-model": "off", "service": {"shared-path": ["/x"]}}' }
    const { settings } = loaded({ files })
    expect([settings.port, settings['demo-model'], settings['service.shared-path']]).toEqual([0, 'off', ['/x']])
    expect(settings.config).toBe('/os/config/config.json')
  })

  it('is read from a data folder that was given and holds one, instead of from the system folder', () => {
    const files = { [OS_FILE]: 'port: 1\nseed: a', '/mine/config.yml': 'port: 2' }
    const given = loaded({ files, flags: { 'data-dir': '/mine' } })
    expect([given.settings.port, given.settings.seed, given.settings.config]).toEqual([2, '', '/mine/config.yml'])
    expect(loaded({ files, env: { OCF_DATA_DIR: '/mine' } }).settings.port).toBe(2)
    expect(loaded({ files, flags: { 'data-dir': '/empty' } }).settings.port).toBe(1)
    expect(loaded({ files, flags: { 'data-dir': '/mine', config: OS_FILE } }).settings.port).toBe(1)
    expect(loaded({ flags: { 'data-dir': '/new' } }).settings.config).toBe('/new/config.yaml')
  })

  it('has to exist when it was asked for', () => {
    expect(problems({ flags: { config: 'no.yaml' } })).toEqual(['flag --config: There is no file /cwd/no.yaml.'])
    expect(problems({ env: { OCF_CONFIG: '/no.yaml' } })).toEqual([
      'environment OCF_CONFIG: There is no file /no.yaml.',
    ])
  })

  it('may leave a key empty, which is the same as not giving it', () => {
    expect(loaded({ files: { [OS_FILE]: 'service:\n  port:\nseed:\n' } }).settings['service.port']).toBeUndefined()
  })

  it('is told to be unreadable with the reason', () => {
    const result = loadSettings({
      flags: {},
      env: {},
      folders: FOLDERS,
      readFile: () => {
        throw new Error('EACCES: permission denied')
      },
    })
    expect(result).toMatchObject({ ok: false, problems: [{ source: `file ${OS_FILE}` }] })
  })

  it.each([
    ['port: [1', 'It is not YAML: '],
    ['just words', 'It has to be a list of'],
    ['port: 1\nport: 2', 'It is not YAML: Map keys must be unique'],
    [`seed: ${'x'.repeat(66_000)}`, 'It is larger than 64 KiB'],
    [
      'a: &a [1,1,1,1,1,1,1,1,1,1]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a,*a]\nc: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: [*c,*c,*c]',
      'It is not YAML: ',
    ],
  ])('that is broken is told: %.20s', (text, sentence) => {
    const found = problems({ files: { [OS_FILE]: text } })
    expect(found).toHaveLength(1)
    expect(found[0]).toContain(`file ${OS_FILE}: ${sentence}`)
  })

  it('looks for near names of the first twenty unknown keys only', () => {
    const text = Array.from({ length: 100 }, (_, index) => `port${index}: 1`).join('\n')
    const found = problems({ files: { [OS_FILE]: text } })
    expect(found).toHaveLength(100)
    expect(found.filter((line) => line.includes('Did you mean'))).toHaveLength(20)
  })

  it('tells unknown keys with near names, doubles and keys that have no place in it', () => {
    const text =
      'prot: 1\nserivce:\n  port: 3\nhealth-path: /x\nbootstrap: {addr: a}\nbootstrap.addr: b\nconfig: x\nmode: {a: 1}'
    expect(problems({ files: { [OS_FILE]: text } })).toEqual([
      `file ${OS_FILE}: prot: There is no such setting. Did you mean port?`,
      `file ${OS_FILE}: serivce.port: There is no such setting. Did you mean service.port?`,
      `file ${OS_FILE}: health-path: There is no such setting. Did you mean service.health-path?`,
      `file ${OS_FILE}: bootstrap.addr: It stands in the file twice.`,
      `file ${OS_FILE}: config: It can only be given as a flag or in the environment.`,
      `file ${OS_FILE}: mode.a: There is no such setting. Did you mean mode?`,
    ])
  })
})

describe('problems', () => {
  it('are told all at once, each with its source, also where a stronger source overrides', () => {
    expect(
      problems({
        files: { [OS_FILE]: 'port: yes\nlog-level: loud' },
        env: { OCF_PORT: 'x', OCF_TABLE_LEASE: 'soon' },
        flags: { port: '70000', prot: 1, 'gateway.max-body': true },
      }),
    ).toEqual([
      'flag --prot: There is no such setting. Did you mean port?',
      expect.stringMatching(/^file .*: port: "yes" is not a port: a whole number from 0 to 65535/),
      expect.stringMatching(/^environment OCF_PORT: "x" is not a port/),
      expect.stringMatching(/^flag --port: "70000" is not a port/),
      expect.stringMatching(/^flag --gateway\.max-body: It needs a value: a size from 1KiB to 1GiB/),
      expect.stringMatching(/^environment OCF_TABLE_LEASE: "soon" is not a duration from 1s to 12h/),
      expect.stringMatching(/^file .*: log-level: "loud" is not one of trace, debug/),
    ])
  })

  it('of settings a command does not use are not its business', () => {
    const given = {
      files: { [OS_FILE]: 'prot: 1\nport: x\ndata-dir: here' },
      env: { OCF_PORT: 'x', OCF_NONE: '1' },
      only: ['data-dir', 'config'] as SettingName[],
    }
    const { settings, warnings } = loaded(given)
    expect([settings['data-dir'], settings.port, warnings]).toEqual(['/os/config/here', 8092, []])
    expect(problems({ ...given, files: { [OS_FILE]: 'data-dir: [1]' } })).toHaveLength(1)
  })
})

it('warns of unknown OCF_ variables and starts all the same', () => {
  const { warnings } = load({ env: { OCF_PROT: '1', PATH: '/bin' } })
  expect(warnings).toEqual(['environment OCF_PROT: There is no such setting; it is ignored. Did you mean OCF_PORT?'])
})

it('reads paths from where they were written', () => {
  const files = { '/cwd/sub/c.yaml': 'data-dir: ../data' }
  expect(loaded({ files, flags: { config: 'sub/c.yaml' } }).settings['data-dir']).toBe('/cwd/data')
  expect(loaded({ flags: { 'data-dir': 'x' } }).settings['data-dir']).toBe('/cwd/x')
  expect(loaded({ env: { OCF_DATA_DIR: '~/x' } }).settings['data-dir']).toMatch(/^\/.+\/x$/)
})

describe('secrets', () => {
  const secrets = SETTING_NAMES.filter((name) => settingRow(name).secret === true)

  it('are known by their mark in the table', () => {
    expect(secrets).toEqual(['seed', 'axiom.token'])
  })

  it.each(secrets)('the flag --%s is refused with the way to give it, and its value is not repeated', (name) => {
    const [problem, ...more] = problems({ flags: { [name]: 'hunter2' } })
    expect(more).toEqual([])
    expect(problem).toContain(`flag --${name}: It is a secret`)
    expect(problem).toContain(`(${envName(name)}`)
    expect(problem).toContain('settings file')
    expect(problem).not.toContain('hunter2')
  })

  it.each(secrets)('%s counts from the environment and from the file', (name) => {
    expect(loaded({ env: { [envName(name)]: 'hunter2' } }).settings[name]).toBe('hunter2')
    expect(loaded({ files: { [OS_FILE]: `${name}: hunter2` } }).settings[name]).toBe('hunter2')
  })

  it.each(secrets)('a value that %s cannot have is not repeated', (name) => {
    const [problem] = problems({ files: { [OS_FILE]: `${name}: [hunter2]` } })
    expect(problem).toContain('It is not a text.')
    expect(problem).not.toContain('hunter2')
  })
})

describe('Axiom’s own variables', () => {
  it('are read beside ours, which count more', () => {
    const { settings, origins } = loaded({
      env: { AXIOM_TOKEN: 'xaat-1', AXIOM_DATASET: 'theirs', OCF_AXIOM_DATASET: 'ours' },
    })
    expect(settings['axiom.token']).toBe('xaat-1')
    expect(origins['axiom.token'].label).toBe('environment AXIOM_TOKEN')
    expect(settings['axiom.dataset']).toBe('ours')
  })

  it.each(['http://axiom.example', 'ftp://x', 'axiom'])('refuse to send a token to %s', (url) => {
    expect(problems({ env: { AXIOM_URL: url } })[0]).toContain('no https address')
  })

  it.each(['https://axiom.example/', 'http://127.0.0.1:9/', 'http://[::1]:9'])('may send it to %s', (url) => {
    expect(problems({ env: { AXIOM_URL: url } })).toEqual([])
  })
})
