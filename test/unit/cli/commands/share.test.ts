import { describe, expect, it } from 'vitest'
import { EXIT } from '../../../../src-main/cli/io.js'
import { createFakeSharing } from '../../../contract/fake-sharing.js'
import { cli } from '../cli-fixture.js'

const sharing = createFakeSharing()

const servers = sharing.detector.servers()

const [share] = sharing.shares.list()

describe('ocf share', () => {
  const answers = {
    ...{ 'detection.scan': servers, 'detection.type-in': servers[0], 'shares.add': share },
    ...{ 'services.list': [], 'shares.list': [] },
  }

  const sharedAs = (...choices: [model: string, visibility: string, ticked?: boolean][]) => ({
    ...share,
    choices: choices.map(([model, visibility, ticked = true]) => ({ model, visibility, ticked })),
  })

  it('shares models of the only server that runs', async () => {
    const { run, output } = cli({ answers })
    expect(await run('share', '--all', '--with', 'everyone')).toBe(EXIT.ok)
    expect(output()).toBe('Sharing 1 model of Ollama at 127.0.0.1:11434 with everyone. `ocf unshare 11434` ends it.\n')
  })

  it('shares nothing without a name or --all, and lists what there is', async () => {
    const { run, errors, output } = cli({ answers: { ...answers, 'detection.forget': {}, 'shares.add': undefined } })
    expect(await run('share', '11434')).toBe(EXIT.failed)
    expect(errors()).toContain('Ollama at 127.0.0.1:11434 has 1 model:\n  llama3.2:latest\n')
    expect(errors()).toContain('`ocf share 11434 --model llama3.2:latest`, or `--all`')
    expect(errors()).toContain('Nothing was shared.')
    expect(output()).toBe('')
  })

  it('says that models for this computer alone are not shared, and how to share them', async () => {
    const mine = sharedAs(['a', 'me'], ['b', 'me'], ['c', 'everyone', false])
    const { run, output } = cli({ answers: { ...answers, 'shares.add': { ...mine, models: 'all' } } })
    expect(await run('share', '--all')).toBe(EXIT.ok)
    expect(output()).toBe(
      '2 models of Ollama at 127.0.0.1:11434 are usable on this computer. ' +
        'Share them: `ocf share 11434 --all --with everyone`. `ocf unshare 11434` ends it.\n',
    )
  })

  it('says of each model with whom it is shared', async () => {
    const mixed = sharedAs(['a', 'me'], ['b', 'trusted'], ['c', 'everyone'])
    const { run, output } = cli({ answers: { ...answers, 'shares.add': mixed } })
    expect(await run('share', '--model', 'a', '--model', 'b', '--model', 'c')).toBe(EXIT.ok)
    expect(output()).toBe(
      'Sharing 1 model of Ollama at 127.0.0.1:11434 with everyone. ' +
        'Sharing 1 model of Ollama at 127.0.0.1:11434 with the peers you trust. ' +
        '1 model of Ollama at 127.0.0.1:11434 is usable on this computer. `ocf unshare 11434` ends it.\n',
    )
  })

  it('prints the share as JSON for scripts', async () => {
    const { run, output } = cli({ answers })
    expect(await run('share', '--all', '--json')).toBe(EXIT.ok)
    expect(JSON.parse(output())).toEqual(share)
  })

  it('asks which where there are several', async () => {
    const { run, errors } = cli({ answers: { ...answers, 'detection.scan': [...servers, ...servers] } })
    expect(await run('share')).toBe(EXIT.failed)
    expect(errors()).toContain('Say which one')
  })

  it.each([
    [['--model'], 'flag --model: It needs a value.'],
    [['--with'], 'flag --with: It needs a value.'],
    [['--with', 'friends'], 'flag --with: "friends" is none of me, trusted, everyone.'],
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
    expect(errors()).toContain('"80a" is not a port, or an address with one')
    expect(await run('share', 'localhost:11434', '--host', '::1')).toBe(EXIT.usage)
    expect(errors()).toContain('"localhost:11434" says where the server is, and so does --host.')
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
    const { run, errors } = cli({ answers: { 'services.list': services, 'shares.list': [] } })
    expect(await run('unshare', ...args)).toBe(EXIT.failed)
    expect(errors()).toContain(sentence)
  })

  it('says what could not be written', async () => {
    const problem = 'It will be shared again after the next start: the disk is full.'
    const removed = { removed: true, untilRestart: true, problem }
    const { run, errors } = cli({ answers: { 'services.list': [first], 'shares.list': [], 'shares.remove': removed } })
    expect(await run('unshare')).toBe(EXIT.failed)
    expect(errors()).toBe(`llm@127.0.0.1:11434 is no longer shared. ${problem}\n`)
  })
})
