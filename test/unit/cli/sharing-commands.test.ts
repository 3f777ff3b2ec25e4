import { describe, expect, it } from 'vitest'
import { createFakeSharing } from '../../contract/fake-sharing.js'
import { EXIT } from '../../../src-main/cli/exit-codes.js'
import { cli } from './cli-fixture.js'

const sharing = createFakeSharing()
const servers = sharing.detector.servers()
const [share] = sharing.shares.list()
const SETTINGS = ['limits.concurrent', 'limits.queue', 'pause.on-battery', 'port'].map((name) => ({
  ...{ name, group: 'Limits', value: '4', origin: 'default', originLabel: 'default' },
  ...{ help: '', cost: '', restart: false },
}))

describe('ocf detect', () => {
  it('lists servers with their models and problems', async () => {
    const problem = { ...servers[0], state: 'no-models', models: [], problem: 'Pull one.', sharedAs: null }
    const { run, output } = cli({ answers: { 'detection.look': [servers[0], problem] } })
    expect(await run('detect')).toBe(EXIT.ok)
    expect(output()).toContain('127.0.0.1:11434  Ollama 0.13.0  ready')
    expect(output()).toContain('1 model: llama3.2:latest')
    expect(output()).toContain('127.0.0.1:11434: Pull one.')
  })

  it('says what to do where there is none', async () => {
    const { run, output } = cli({ answers: { 'detection.look': [] } })
    expect(await run('detect')).toBe(EXIT.ok)
    expect(output()).toContain('No model server is running')
  })
})

describe('ocf share', () => {
  const answers = { 'detection.look': servers, 'detection.type-in': servers[0], 'shares.add': share }

  it('shares the only server that runs', async () => {
    const { run, output } = cli({ answers })
    expect(await run('share')).toBe(EXIT.ok)
    expect(output()).toBe('Sharing 1 model of Ollama at 127.0.0.1:11434. `ocf unshare 11434` ends it.\n')
  })

  it('asks which where there are several', async () => {
    const { run, errors } = cli({ answers: { ...answers, 'detection.look': [...servers, ...servers] } })
    expect(await run('share')).toBe(EXIT.failed)
    expect(errors()).toContain('Say which one')
  })

  it.each([
    [['--model'], 'flag --model: It needs a value.'],
    [['--alias', 'x'], 'flag --alias: "x" is not NAME=MODEL.'],
    [['--all', '--model', 'a'], 'flag --all: It goes without --model.'],
    [['11434', 'more'], 'argument more'],
  ])('refuses %j', async (flags, sentence) => {
    const { run, errors } = cli({ answers })
    expect(await run('share', ...flags)).toBe(EXIT.usage)
    expect(errors()).toContain(sentence)
  })

  it('says how to give a key where one is wanted', async () => {
    const locked = { ...servers[0], state: 'needs-key', models: [] }
    const { run, errors } = cli({ answers: { ...answers, 'detection.type-in': locked, 'detection.forget': {} } })
    expect(await run('share', '11434')).toBe(EXIT.failed)
    expect(errors()).toContain('wants a key. Write it into a file and add `--key-file FILE`.')
  })

  it('refuses what is no port', async () => {
    const { run, errors } = cli({ answers })
    expect(await run('share', '80a')).toBe(EXIT.usage)
    expect(errors()).toContain('"80a" is not a port')
  })
})

describe('ocf unshare', () => {
  const service = (port: number, published = true) => ({
    ...{ id: `llm@127.0.0.1:${port}`, address: `127.0.0.1:${port}`, name: 'llm', published, models: [] },
    ...{ status: 'connected', source: 'flags', aliases: [] },
  })
  const [first, second] = [service(11434), service(8000)]

  it.each([
    [['80'], [first], '"80" is not shared. Shared is:\n  llm@127.0.0.1:11434\n'],
    [['80'], [first, second, service(80, false)], '"80" is not shared. Shared are:\n  llm@127.0.0.1:11434\n  llm@'],
    [['80'], [], 'Nothing is shared. `ocf share` shares a server.\n'],
    [[], [service(80, false)], 'Nothing is shared. `ocf share` shares a server.\n'],
    [[], [first, second], 'Several are shared; say which one:\n  llm@127.0.0.1:11434\n  llm@127.0.0.1:8000\n'],
  ])('%j with %j tells what is shared', async (args, services, sentence) => {
    const { run, errors } = cli({ answers: { 'services.list': services } })
    expect(await run('unshare', ...args)).toBe(EXIT.failed)
    expect(errors()).toContain(sentence)
  })
})

describe('ocf pause', () => {
  it.each([[[]], [['until-resume']], [['15m']], [['1h', '--cut-after', '10s']]])('takes %j', async (args) => {
    const { run, output } = cli({ answers: { 'pause.set': sharing.pause.state() } })
    expect(await run('pause', ...args)).toBe(EXIT.ok)
    expect(output()).toContain('Sharing is paused: you paused it until you resume. 1 still running, which may end.')
  })

  it.each([[['soon']], [['0s']], [['15m', '--cut-after', 'now']]])('refuses %j', async (args) => {
    const { run } = cli({ answers: { 'pause.set': sharing.pause.state() } })
    expect(await run('pause', ...args)).toBe(EXIT.usage)
  })
})

describe('ocf limits', () => {
  const answers = {
    'settings.list': SETTINGS,
    'settings.set': { restartNeeded: false },
    'limits.get': sharing.admission.usage(),
    'pause.get': sharing.pause.state(),
  }

  it('shows the limits, their use and the pause', async () => {
    const { run, output } = cli({ answers })
    expect(await run('limits', 'concurrent=6', 'pause.on-battery=true')).toBe(EXIT.ok)
    expect(output()).toContain('1 of 4 slots used by 1 peers')
    expect(output()).toContain('alice: 1 running, 0 waiting, 320 tokens today')
    expect(output()).toContain('limits.concurrent')
    expect(output()).not.toMatch(/^port/m)
  })

  it('says that peers get no slot where there is none, also after a resume', async () => {
    const usage = sharing.admission.usage()
    const open = { ...sharing.pause.state(), paused: false, reasons: [], running: 0 }
    const none = { ...usage, slots: { used: 0, total: 0 }, limits: { ...usage.limits, concurrent: 0 } }
    const closed = cli({ answers: { ...answers, 'limits.get': none, 'pause.get': open, 'pause.resume': open } })
    for (const command of ['limits', 'resume']) expect(await closed.run(command)).toBe(EXIT.ok)
    expect(closed.output().match(/Peers get no slot on this machine, because limits\.concurrent is 0/g)).toHaveLength(2)
    expect(closed.output()).not.toContain('Sharing is on')

    const { run, output } = cli({ answers: { ...answers, 'pause.get': open, 'pause.resume': open } })
    for (const command of ['limits', 'resume']) expect(await run(command)).toBe(EXIT.ok)
    expect(output().match(/Sharing is on: other peers may use this machine/g)).toHaveLength(2)
  })

  it('refuses what is no limit', async () => {
    const { run, errors } = cli({ answers })
    expect(await run('limits', 'port=1')).toBe(EXIT.usage)
    expect(errors()).toContain('There is no limit "port"')
    expect(await run('limits', 'concurrent')).toBe(EXIT.usage)
  })
})

it('ocf ledger tells totals and rows', async () => {
  const answers = { 'ledger.summary': sharing.ledger.summary(), 'ledger.rows': sharing.ledger.rows(30) }
  const { run, output } = cli({ answers })
  expect(await run('ledger')).toBe(EXIT.ok)
  expect(output()).toContain('Today: 3 requests answered, 300 tokens, 2 peers helped.')
  expect(output()).toContain('Ever: 3 requests answered, 300 tokens, 2 peers helped (since 2030-01-31).')
  expect(output()).toContain('2030-01-31  llama3.2:latest  alice')
})
