import { expect, test } from 'vitest'
import type { ModelView } from '#shared/contract/models/models.js'
import type { PeerView } from '#shared/contract/network/peers.js'
import type { Status } from '#shared/contract/node/node.js'
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
  requestsToday: { in: 7, out: 8, local: 9, unanswered: 0 },
  state: { kind: 'sharing', path: 'direct' },
}

const peer: PeerView = {
  peerId: '12D3KooWPeer',
  connected: true,
  standing: 'proven',
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
    providers: [{ peerId: 'x', self: false, connected: true, trusted: false, visibility: 'everyone', load: null }],
    local: false,
    shared: false,
    visibility: null,
    contextLength: 1024,
    servers: [],
  },
  { id: 'own', providers: [], local: true, shared: false, visibility: 'me', servers: ['llm@127.0.0.1:1'] },
]

test.each([
  ['peers', 'peers.list', 'No peer is known yet.'],
  ['models', 'models.list', 'No model is available yet.'],
] as const)('ocf %s says what to do when its list is empty', async (command, call, sentence) => {
  const { run, output } = cli({ answers: { [call]: [] } })
  expect(await run(command)).toBe(EXIT.ok)
  expect(output()).toContain(sentence)
})

test.each([
  ['status', 'node.status', status],
  ['peers', 'peers.list', [peer]],
  ['models', 'models.list', models],
] as const)('ocf %s --json prints what the node answered', async (command, call, answer) => {
  const { run, output } = cli({ answers: { [call]: answer }, tty: true })
  expect(await run(command, '--json')).toBe(EXIT.ok)
  expect(JSON.parse(output())).toEqual(answer)
})

test('a command refuses unknown flags, with a suggestion', async () => {
  const { run, errors, connected } = cli()
  expect(await run('peers', '--jsno', '--data-dir')).toBe(EXIT.usage)
  expect(errors()).toContain('error: flag --jsno: There is no such flag. Did you mean --json?')
  expect(errors()).toContain('error: flag --data-dir: It needs a value')
  expect(connected).toEqual([])
})
