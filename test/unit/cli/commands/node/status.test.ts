import { describe, expect, it } from 'vitest'
import type { Status } from '#shared/contract/node/node.js'
import { EXIT } from '../../../../../src-main/cli/io.js'
import { cli } from '../../cli-fixture.js'

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
  requestsToday: { in: 7, out: 8, local: 9, unanswered: 0 },
  state: { kind: 'sharing', path: 'direct' },
}

describe('ocf status', () => {
  it('ocf status prints the node’s state for people', async () => {
    const { run, output, connected } = cli({ answers: { 'node.status': status } })
    expect(await run('status', '--data-dir', 'here')).toBe(EXIT.ok)
    expect(connected).toEqual(['/cwd/here'])
    expect(output()).toBe(
      [
        'Sharing 2 models · direct · 3 peers',
        'Base URL    http://127.0.0.1:8092/v1',
        'Dashboard   `ocf open` shows it',
        'Peers       3 connected (2 direct over QUIC, 1 relayed), 5 known',
        'Models      4 available, 2 shared',
        'Today       8 out, 7 in, 9 local',
        'Reached at  /ip4/1.2.3.4/tcp/43905/p2p/12D3KooWNode +1',
        'Node        12D3KooWNode · 0.1.0 · up 3 min',
        '',
      ].join('\n'),
    )
  })

  it('ocf status writes large numbers with separators', async () => {
    const many = { ...status, knownPeers: 12_345, requestsToday: { in: 0, out: 4321, local: 9, unanswered: 1000 } }
    const { run, output } = cli({ answers: { 'node.status': many } })
    await run('status')
    expect(output()).toContain('12,345 known')
    expect(output()).toContain('4,321 out, 0 in, 9 local, 1,000 unanswered')
  })

  it('ocf status shows the dashboard’s link on a terminal only', async () => {
    const terminal = cli({ answers: { 'node.status': status }, tty: true })
    await terminal.run('status')
    expect(terminal.output()).toContain('http://127.0.0.1:8093/#token=kept')
    for (const flags of [[], ['--json']]) {
      const journal = cli({ answers: { 'node.status': status } })
      await journal.run('status', ...flags)
      expect(journal.output()).not.toContain('token')
    }
  })

  it('ocf status takes eight lines, however many addresses the node has', async () => {
    const loopback = '/ip4/127.0.0.1/tcp/1/p2p/12D3KooWNode'
    const relayed = '/ip4/9.9.9.9/tcp/1/p2p/relay/p2p-circuit/p2p/12D3KooWNode'
    const multiaddrs = [loopback, relayed, '/ip4/5.6.7.8/tcp/1/p2p/12D3KooWNode', ...Array<string>(8).fill(loopback)]
    const { run, output } = cli({ answers: { 'node.status': { ...status, multiaddrs } } })
    await run('status')
    expect(output().trimEnd().split('\n')).toHaveLength(8)
    expect(output()).toContain('/ip4/5.6.7.8/tcp/1/p2p/12D3KooWNode +10\n')
  })

  it('ocf status says when a pause ends', async () => {
    const untilMs = new Date().setHours(23, 59, 0, 0)
    const state = { kind: 'paused', path: null, pause: { sentence: 'you paused it for a while', untilMs } }
    const { run, output } = cli({ answers: { 'node.status': { ...status, state } } })
    await run('status')
    expect(output()).toContain('Sharing paused: you paused it for a while · resumes at 23:59\n')
  })

  it.each([
    ['connected', 'Connected · relayed · 1 peer; nothing is shared'],
    ['paused', 'Sharing paused: you paused it\n'],
    ['alone', 'Not connected: '],
    ['standalone', 'Standalone: '],
  ] as const)('ocf status explains the state %s', async (kind, sentence) => {
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
