import { describe, expect, it } from 'vitest'
import { EXIT } from '../../../../src-main/cli/io.js'
import { createFakeSharing } from '../../../contract/fake-sharing.js'
import { cli } from '../cli-fixture.js'

const sharing = createFakeSharing()

const servers = sharing.detector.servers()
const [share] = sharing.shares.list()

/** A registered server with models that these may use. */
const service = (address: string, ...visibilities: string[]) => ({
  ...{ id: `llm@${address}`, name: 'llm', address },
  models: visibilities.map((visibility, index) => ({ id: `m${index}`, visibility })),
})
const answersOf = (
  scanned: readonly unknown[],
  services: readonly unknown[] = [],
  shares: readonly unknown[] = [],
) => ({
  ...{ 'detection.scan': scanned, 'services.list': services, 'shares.list': shares },
})

describe('ocf detect', () => {
  it('lists servers with their models and problems', async () => {
    const problem = { ...servers[0], state: 'no-models', models: [], problem: 'Pull one.', sharedAs: null }
    const { run, output } = cli({ answers: answersOf([servers[0], problem]) })
    expect(await run('detect')).toBe(EXIT.ok)
    expect(output()).toContain('127.0.0.1:11434  Ollama 0.13.0  ready')
    expect(output()).toContain('1 model: llama3.2:latest')
    expect(output()).toContain('127.0.0.1:11434: Pull one.')
  })

  it('says what to do where there is none', async () => {
    const { run, output } = cli({ answers: answersOf([]) })
    expect(await run('detect')).toBe(EXIT.ok)
    expect(output()).toContain('No model server is running')
  })

  it('says of each server how many of its models may be used, and by whom', async () => {
    const at = (port: number) => ({ ...servers[0], address: `127.0.0.1:${port}`, sharedAs: null })
    const services = [
      service('127.0.0.1:1', 'everyone', 'everyone', 'trusted', 'me'),
      service('127.0.0.1:2', 'me'),
      // It has other models now than those that were chosen.
      service('127.0.0.1:3'),
    ]
    const { run, output } = cli({ answers: answersOf([at(1), at(2), at(3), at(4)], services) })
    await run('detect')
    const last = output()
      .split('\n')
      .map((line) => line.split('  ').at(-1))
    expect(last.slice(0, 5)).toEqual([
      'SHARED',
      '2 with everyone, 1 with peers you trust, 1 on this computer',
      '1 on this computer',
      'none of its models',
      'no',
    ])
  })

  it('lists what is shared where no scan looks, with whether it is there', async () => {
    const address = '127.0.0.1:18081'
    const odd = { ...share, id: `llm@${address}`, address, port: 18_081, kind: 'llama.cpp', name: 'llama.cpp' }
    const away = { ...odd, id: 'llm@127.0.0.1:2', address: '127.0.0.1:2', status: 'down', problem: 'nothing listens' }
    const answers = answersOf([servers[0]], [service(address, 'everyone')], [share, odd, away])
    const { run, output } = cli({ answers })
    await run('detect')
    expect(output()).toMatch(/127\.0\.0\.1:18081 +llama\.cpp +ready +1 model: llama3\.2:latest +1 with everyone\n/)
    expect(output()).toMatch(/127\.0\.0\.1:2 +llama\.cpp +not-found/)
    expect(output()).toContain('127.0.0.1:2: nothing listens\n')
    expect(output().split('127.0.0.1:11434')).toHaveLength(2)

    const { run: runAsJson, output: json } = cli({ answers })
    await runAsJson('detect', '--json')
    expect(JSON.parse(json())).toMatchObject([
      { address: '127.0.0.1:11434', shared: null },
      { address, state: 'ready', sharedAs: odd.id, shared: [{ id: 'm0', visibility: 'everyone' }] },
      { address: '127.0.0.1:2', state: 'not-found', shared: null },
    ])
  })
})
