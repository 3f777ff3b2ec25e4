import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { AppError } from '#shared/errors.js'
import { VERSION } from '../../../src-main/base/version.js'
import { EXIT } from '../../../src-main/cli/io.js'
import { connectToNode, runCli } from '../../../src-main/cli/run.js'
import { envName, flagName, SETTING_NAMES, settingRow } from '../../../src-main/config/settings.js'
import { cli } from './cli-fixture.js'

describe('ocf start', () => {
  it('runs a node with the settings of flags, environment, file and defaults', async () => {
    const { run, started } = cli({ env: { OCF_TCPPORT: '1' }, files: { '/os/config/config.yaml': 'wsport: 2' } })
    const flags = ['--port', '0', '--bootstrap.addr', '/ip4/1.2.3.4/tcp/1', '--bootstrap.addr=b,c', '--cleanslate']
    expect(await run('start', ...flags, '--service.identity-group', 'a=1,b=2', '--service.identity-group=all')).toBe(
      EXIT.ok,
    )
    expect(started).toEqual([
      [
        'start',
        expect.objectContaining({
          port: 0,
          tcpport: 1,
          wsport: 2,
          'bootstrap.addr': ['/ip4/1.2.3.4/tcp/1', 'b,c'],
          'service.identity-group': ['a=1', 'b=2', 'all'],
          cleanslate: true,
        }),
      ],
    ])
  })

  it.each([
    [['--cleanslate'], true],
    [['--cleanslate=true'], true],
    [['--cleanslate=false'], false],
    [['--no-cleanslate'], false],
    [['--cleanslate', '--no-cleanslate'], false],
    [[], true],
  ])('reads %j as %s over a file that says true', async (flags, cleanslate) => {
    const { run, started } = cli({ files: { '/os/config/config.yaml': 'cleanslate: true' } })
    await run('start', ...flags)
    expect(started[0]?.[1]).toMatchObject({ cleanslate })
  })

  it('reports every mistake at once and starts nothing', async () => {
    const { run, started, errors } = cli({
      env: { OCF_UDPPORT: 'x', OCF_TYPO: '1' },
      files: { '/os/config/config.yaml': 'prot: 1' },
    })
    expect(await run('start', 'extra', '--prot', '3', '--wat=1', '-x', '--tcpport', '70000', '--mode')).toBe(EXIT.usage)
    expect(errors().trimEnd().split('\n')).toEqual([
      expect.stringContaining('warning: environment OCF_TYPO: There is no such setting; it is ignored.'),
      'error: flag --prot: There is no such flag. Did you mean --port?',
      'error: flag --wat: There is no such flag.',
      'error: flag -x: There is no such flag.',
      'error: file /os/config/config.yaml: prot: There is no such setting. Did you mean port?',
      expect.stringContaining('error: flag --mode: It needs a value'),
      expect.stringContaining('error: flag --tcpport: "70000" is not a port'),
      expect.stringContaining('error: environment OCF_UDPPORT: "x" is not a port'),
      'Nothing was done. `ocf start --help` lists its options.',
    ])
    expect(started).toEqual([])
  })

  it('refuses arguments it does not take', async () => {
    const { run, errors } = cli()
    expect(await run('start', 'node', '--', '--port')).toBe(EXIT.usage)
    expect(errors()).toContain('error: argument node: This command takes no such argument.')
    expect(errors()).toContain('error: argument --port: This command takes no such argument.')
  })

  it('exits with what the node exits with', async () => {
    expect(await cli({ handlers: { start: () => Promise.resolve(1) } }).run('start')).toBe(EXIT.failed)
  })

  it.each([
    [new AppError('port_in_use', 'Port 1 is used.'), EXIT.failed, 'error: Port 1 is used. (port_in_use)\n'],
    [new AppError('invalid_settings', 'No.'), EXIT.usage, 'error: No. (invalid_settings)\n'],
    [new AppError('node_not_running', 'None.'), EXIT.notRunning, 'error: None. (node_not_running)\n'],
    [new RangeError('a bug'), EXIT.failed, 'error: RangeError: a bug\n    at '],
  ])('prints %s and exits with %i', async (error, code, text) => {
    const { run, errors } = cli({ handlers: { start: () => Promise.reject(error) } })
    expect(await run('start')).toBe(code)
    expect(errors()).toContain(text)
  })
})

describe('ocf app and ocf demo', () => {
  it('app takes the same settings as start', async () => {
    const { run, started } = cli()
    expect(await run('app', '--port=0')).toBe(EXIT.ok)
    expect(started).toEqual([['app', expect.objectContaining({ port: 0 })]])
  })

  it('demo takes how many nodes', async () => {
    const { run, started } = cli()
    await run('demo')
    await run('demo', '--nodes', '5', '--port', '0', '--once')
    expect(started).toEqual([
      ['demo', expect.objectContaining({ nodes: 3, once: false })],
      ['demo', expect.objectContaining({ nodes: 5, once: true, settings: expect.objectContaining({ port: 0 }) })],
    ])
  })

  it.each([['--nodes=1'], ['--nodes=x'], ['--nodes']])('demo refuses %s together with the rest', async (flag) => {
    const { run, errors, started } = cli()
    expect(await run('demo', flag, '--port=x')).toBe(EXIT.usage)
    expect(errors()).toMatch(/error: flag --nodes: .*a whole number from 2 to 16\.\nerror: flag --port: /)
    expect(started).toEqual([])
  })
})

describe('ocf without a command', () => {
  it.each([[[]], [['--help']], [['help']], [['-h']]])('prints its help for %j', async (argv) => {
    const { run, output, errors } = cli()
    expect(await run(...argv)).toBe(EXIT.ok)
    for (const command of ['start', 'app', 'demo', 'status', 'peers', 'models', 'chat', 'config', 'version']) {
      expect(output()).toMatch(new RegExp(`^ +${command}\\b`, 'm'))
    }
    expect(output()).toMatch(/^ +chat \[MODEL\] \[TEXT\] /m)
    expect(output()).toMatch(/^ +launch TOOL \[-- ARGUMENTS\]/m)
    expect(errors()).toBe('')
  })

  it('the help begins with how to run a node, and shows examples', async () => {
    const { run, output } = cli()
    await run('--help')
    expect(output()).toMatch(/Run a node:\n +start /)
    expect(output()).toMatch(/Examples:\n +ocf start /)
    expect(output().split('\n').length).toBeLessThan(75)
  })

  it('the help of start shows what most people set, with examples, and says how to see the rest', async () => {
    const { run, output } = cli()
    expect(await run('start', '--help')).toBe(EXIT.ok)
    for (const shown of ['--port <port>', '--mode <', '--service.port', '--help-all', 'Examples:']) {
      expect(output()).toContain(shown)
    }
    expect(output()).not.toMatch(/--relay\.circuit-data|--no-mdns/)
    expect(output().split('\n').length).toBeLessThan(70)
  })

  it('the help of a command that only asks the node has its own options, and where the node is on request', async () => {
    const short = cli()
    await short.run('ledger', '--help')
    expect(short.output()).toContain('--csv')
    expect(short.output()).not.toContain('--data-dir')
    const long = cli()
    await long.run('ledger', '--help-all')
    expect(long.output()).toContain('--data-dir')
  })

  it.each(['doctor', 'config'])(
    'the help of %s shows where the node is, and the other settings on request',
    async (name) => {
      const short = cli()
      await short.run(name, '--help')
      expect(short.output()).toContain('--data-dir')
      expect(short.output()).not.toContain('--tcpport')
      const long = cli()
      expect(await long.run(name, '--help-all')).toBe(EXIT.ok)
      expect(long.output()).toContain('--tcpport')
    },
  )

  it('prints all settings in the whole help of start, by group, with defaults and what they cost', async () => {
    const { run, output } = cli()
    expect(await run('start', '--help-all')).toBe(EXIT.ok)
    for (const name of SETTING_NAMES) {
      const term = settingRow(name).secret === true ? `${envName(name)}=<` : `${flagName(name)}[ ]|--\\[no-\\]${name} `
      expect(output()).toMatch(new RegExp(term))
    }
    expect(output()).toContain('OCF_AXIOM_TOKEN=<token>')
    expect(output().replaceAll(/\s+/g, ' ')).toContain(
      'A secret: in the environment or the settings file, never a flag.',
    )
    expect(output()).not.toMatch(/--seed|--axiom\.token/)
    expect(output()).toContain('--port <port>')
    expect(output()).toContain('--mode <standalone|local|node>')
    expect(output()).toContain('Gateway: the address your apps use:')
    expect(output()).toContain('(default: 8092)')
    expect(output()).not.toContain('[value]')
  })

  it.each([[['strat']], [['--port=0', 'start']], [['help', 'strat']]])('refuses %j', async (argv) => {
    const { run, errors, started } = cli()
    expect(await run(...argv)).toBe(EXIT.usage)
    expect(errors()).not.toBe('')
    expect(started).toEqual([])
  })

  it.each([
    ['stat', 'status'],
    ['strat', 'start'],
    ['peer', 'peers'],
  ])('takes %s for a slip of %s, as it does with flags', async (slip, meant) => {
    const { run, errors } = cli()
    expect(await run(slip)).toBe(EXIT.usage)
    expect(errors()).toBe(
      `error: command ${slip}: There is no such command. Did you mean ${meant}?\nNothing was done. \`ocf --help\` lists the commands.\n`,
    )
  })

  it('prints its version', async () => {
    const short = cli()
    expect(await short.run('--version')).toBe(EXIT.ok)
    expect(short.output()).toBe(`${VERSION}\n`)
    const long = cli({ env: { OCF_PORT: 'broken' } })
    expect(await long.run('version')).toBe(EXIT.ok)
    expect(long.output()).toContain(`ocf ${VERSION}\nnode ${process.versions.node}\n${process.platform}`)
    const json = cli()
    await json.run('version', '--json')
    expect(JSON.parse(json.output())).toMatchObject({ ocf: VERSION, node: process.versions.node })
  })
})

describe('without a running node', () => {
  const run = async (folder: string) => {
    const { io, errors } = cli()
    const handler = () => Promise.resolve(0)
    const handlers = { start: handler, app: handler, demo: handler }
    return {
      code: await runCli(['status', '--data-dir', folder], { io, handlers, connect: connectToNode }),
      errors: errors(),
    }
  }

  it('the data commands say so and exit with 3: no control file, or one that a crash left', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'ocf-cli-'))
    const sentence = `error: No node is running with the data folder ${folder}. Start one with \`ocf start\`. (node_not_running)\n`
    expect(await run(folder)).toEqual({ code: EXIT.notRunning, errors: sentence })
    const server = createServer().listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.close()
    await once(server, 'close')
    writeFileSync(join(folder, 'control.json'), JSON.stringify({ url, token: 't', pid: process.pid, gateway: null }))
    expect(await run(folder)).toEqual({ code: EXIT.notRunning, errors: sentence })
    rmSync(folder, { recursive: true })
  })
})

describe('a start that no person has typed', () => {
  it('warns of words that no command knows, and starts with all others', async () => {
    const { run, started, errors } = cli({ isTolerant: true })
    const words = ['type=click&tag=1', '--port', '0', '--no-such-flag', 'its-value', '--', 'more']
    expect(await run('app', ...words)).toBe(EXIT.ok)
    expect(started).toEqual([['app', expect.objectContaining({ port: 0 })]])
    expect(errors()).toContain('warning: flag --no-such-flag: There is no such flag. It is ignored.\n')
    expect(errors()).not.toContain('error:')
  })

  it('still refuses a value that is wrong', async () => {
    const { run, started, errors } = cli({ isTolerant: true })
    expect(await run('app', '--port', 'x')).toBe(EXIT.usage)
    expect(started).toEqual([])
    expect(errors()).toContain('error: flag --port:')
  })

  it('a person’s own slip stops the command', async () => {
    const { run, started } = cli()
    expect(await run('app', '--no-such-flag')).toBe(EXIT.usage)
    expect(started).toEqual([])
  })
})
