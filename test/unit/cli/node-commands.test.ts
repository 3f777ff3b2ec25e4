import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { once } from 'node:events'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import type { ModelView } from '#shared/contract/models.js'
import type { Status } from '#shared/contract/node.js'
import type { PeerView } from '#shared/contract/peers.js'
import { connectToNode, runCli } from '../../../src-main/cli/run.js'
import { EXIT } from '../../../src-main/cli/io.js'
import { cli } from './cli-fixture.js'

const status: Status = {
  peerId: '12D3KooWNode',
  version: '0.1.0',
  mode: 'node',
  startedAtMs: Date.now() - 3 * 60_000,
  gatewayUrl: 'http://127.0.0.1:8092',
  multiaddrs: ['/ip4/1.2.3.4/tcp/43905/p2p/12D3KooWNode', '/ip6/::1/tcp/43905/p2p/12D3KooWNode'],
  peers: 3,
  paths: [
    { path: 'direct-quic', peers: 2 },
    { path: 'relayed', peers: 1 },
  ],
  knownPeers: 5,
  models: { available: 4, shared: 2 },
  requestsToday: { in: 7, out: 8, local: 9 },
  state: { kind: 'sharing', path: 'direct' },
}

const peer: PeerView = {
  peerId: '12D3KooWPeer',
  connected: true,
  paths: ['direct-tcp'],
  multiaddrs: [],
  direction: 'outbound',
  connectedAtMs: Date.now() - 2 * 3_600_000,
  offers: ['llm:model=a', 'llm:model=b', 'llm:model=c', 'llm:model=d'],
  version: '0.1.0',
  rttMs: 12.4,
}

const models: ModelView[] = [
  {
    id: 'gpt2',
    providers: [{ peerId: 'x', self: false, connected: true, load: null }],
    local: false,
    shared: false,
    contextLength: 1024,
    servers: [],
  },
  { id: 'own', providers: [], local: true, shared: false, servers: ['llm@127.0.0.1:1'] },
]

describe('ocf status', () => {
  it('tells how the node fares, for people', async () => {
    const { run, output, connected } = cli({ answers: { 'node.status': status } })
    expect(await run('status', '--data-dir', 'here')).toBe(EXIT.ok)
    expect(connected).toEqual(['/cwd/here'])
    expect(output()).toBe(
      [
        'Sharing 2 models · direct · 3 peers',
        '',
        'Node            12D3KooWNode',
        'Version         0.1.0',
        'Running for     3 min',
        'Base URL        http://127.0.0.1:8092/v1',
        'Mode            node',
        'Peers           3 connected (2 direct-quic, 1 relayed), 5 known',
        'Models          4 available, 2 shared',
        'Requests today  8 out, 7 in, 9 local',
        'Addresses       /ip4/1.2.3.4/tcp/43905/p2p/12D3KooWNode',
        '                /ip6/::1/tcp/43905/p2p/12D3KooWNode',
        '',
      ].join('\n'),
    )
  })

  it.each([
    ['connected', 'Connected · relayed · 1 peer; nothing is shared'],
    ['paused', 'Paused: you paused it · relayed'],
    ['alone', 'Not connected: '],
    ['standalone', 'Standalone: '],
  ] as const)('says what %s means', async (kind, sentence) => {
    const pause = kind === 'paused' ? { sentence: 'you paused it', untilMs: null } : undefined
    const state = { kind, path: 'relayed', pause }
    const { run, output } = cli({
      answers: { 'node.status': { ...status, peers: 1, gatewayUrl: null, state } },
    })
    await run('status')
    expect(output()).toContain(sentence)
    expect(output()).toMatch(/Base URL +none yet/)
  })
})

describe('ocf doctor', () => {
  const fine = { id: 'peers', state: 'ok', fact: '2 peers connected.', meaning: 'It works.', fix: '' } as const
  const warning = { ...fine, id: 'relays', state: 'warn', fact: 'No place at a relay.' } as const
  const broken = { ...fine, id: 'clock', state: 'bad', fact: 'The clock is wrong.', fix: 'Set it.' } as const

  it.each([
    [[fine], EXIT.ok, 'Nothing is wrong.'],
    [[fine, warning], EXIT.ok, 'It works, with 1 thing to look at (WARN).'],
    [[broken, fine], EXIT.failed, 'Broken: The clock is wrong.'],
    [[broken, broken, broken], EXIT.failed, 'Broken: The clock is wrong. 2 more things are broken, see above.'],
  ])('ends with what to make of it (%#)', async (checks, code, verdict) => {
    const { run, output } = cli({ answers: { 'doctor.run': { atMs: 0, peerId: 'p', checks } } })
    expect(await run('doctor')).toBe(code)
    expect(output().trimEnd().split('\n').at(-1)).toBe(verdict)
  })

  it.each([
    [[fine, warning], 'The path to this peer works.'],
    [[fine, broken, broken], 'The path breaks here: The clock is wrong.'],
  ])('says where the path to a peer breaks (%#)', async (checks, verdict) => {
    const { run, output } = cli({ answers: { 'doctor.peer': { atMs: 0, peerId: 'p', checks } } })
    await run('doctor', '12D3KooWPeer')
    expect(output().trimEnd().split('\n').at(-1)).toBe(verdict)
  })
})

describe('ocf peers and ocf models', () => {
  it('list peers, connected ones first', async () => {
    const far = {
      ...peer,
      peerId: 'far',
      connected: false,
      paths: [],
      connectedAtMs: null,
      rttMs: undefined,
      offers: [],
    }
    const { run, output } = cli({ answers: { 'peers.list': [far, peer] } })
    expect(await run('peers')).toBe(EXIT.ok)
    expect(
      output()
        .split('\n')
        .map((line) => line.split(/ {2,}/)),
    ).toEqual([
      ['PEER', 'PATH', 'RTT', 'SINCE', 'OFFERS'],
      ['12D3KooWPeer', 'direct-tcp', '12 ms', '2 h', 'llm:model=a, llm:model=b, llm:model=c and 1 more'],
      ['far', 'not connected'],
      [''],
    ])
  })

  it('list models', async () => {
    const { run, output } = cli({ answers: { 'models.list': models } })
    await run('models')
    expect(
      output()
        .split('\n')
        .map((line) => line.split(/ {2,}/)),
    ).toEqual([
      ['MODEL', 'PROVIDERS', 'THIS MACHINE', 'CONTEXT'],
      ['gpt2', '1', '1024 tokens'],
      ['own', '0', 'not shared'],
      [''],
    ])
  })

  it.each([
    ['peers', 'peers.list', 'No peer is known yet.'],
    ['models', 'models.list', 'No model is available yet.'],
  ] as const)('say what to do when there are no %s', async (command, call, sentence) => {
    const { run, output } = cli({ answers: { [call]: [] } })
    expect(await run(command)).toBe(EXIT.ok)
    expect(output()).toContain(sentence)
  })

  it.each([
    ['status', 'node.status', status],
    ['peers', 'peers.list', [peer]],
    ['models', 'models.list', models],
  ] as const)('%s --json prints what the node answered', async (command, call, answer) => {
    const { run, output } = cli({ answers: { [call]: answer }, tty: true })
    expect(await run(command, '--json')).toBe(EXIT.ok)
    expect(JSON.parse(output())).toEqual(answer)
  })

  it("do not let a peer's words colour or clear the terminal", async () => {
    const { run, output } = cli({ answers: { 'peers.list': [{ ...peer, offers: ['\u001b[2J\nx'] }] } })
    await run('peers')
    expect(output()).toContain('\\u001b[2J\\u000ax')
    expect(output()).not.toContain('\u001b')
  })

  it('colour headings on a terminal, unless NO_COLOR is set', async () => {
    const coloured = cli({ answers: { 'models.list': models }, tty: true })
    await coloured.run('models')
    expect(coloured.output()).toContain('\u001b[1m')
    const plain = cli({ answers: { 'models.list': models }, tty: true, env: { NO_COLOR: '1' } })
    await plain.run('models')
    expect(plain.output()).not.toContain('\u001b')
  })

  it('find the node by the settings, whatever else is wrong with those', async () => {
    const env = { OCF_PORT: 'broken', OCF_DATA_DIR: '/there' }
    const { run, connected, errors } = cli({ answers: { 'models.list': [] }, env })
    expect(await run('models')).toBe(EXIT.ok)
    expect([connected, errors()]).toEqual([['/there'], ''])
  })

  it('refuse what they do not know', async () => {
    const { run, errors, connected } = cli()
    expect(await run('peers', '--jsno', '--data-dir')).toBe(EXIT.usage)
    expect(errors()).toContain('error: flag --jsno: There is no such flag. Did you mean --json?')
    expect(errors()).toContain('error: flag --data-dir: It needs a value')
    expect(connected).toEqual([])
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
