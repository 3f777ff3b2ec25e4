import { expect, test } from 'vitest'
import type { ModelView } from '#shared/contract/models/models.js'
import type { PeerView } from '#shared/contract/network/peers.js'
import { EXIT } from '../../../../src-main/cli/io.js'
import { cli } from '../cli-fixture.js'

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

test('ocf models lists models with their providers', async () => {
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

test('ocf models colours headings on a terminal, unless NO_COLOR is set', async () => {
  const coloured = cli({ answers: { 'models.list': models }, tty: true })
  await coloured.run('models')
  expect(coloured.output()).toContain('\u001b[1m')
  const plain = cli({ answers: { 'models.list': models }, tty: true, env: { NO_COLOR: '1' } })
  await plain.run('models')
  expect(plain.output()).not.toContain('\u001b')
})

test('ocf models finds the node by the data folder, whatever is wrong with other settings', async () => {
  const env = { OCF_PORT: 'broken', OCF_DATA_DIR: '/there' }
  const { run, connected, errors } = cli({ answers: { 'models.list': [] }, env })
  expect(await run('models')).toBe(EXIT.ok)
  expect([connected, errors()]).toEqual([['/there'], ''])
})

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

test('ocf peers lists connected peers first', async () => {
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

test('ocf peers says of a peer that was never met that it may not be there', async () => {
  const far: PeerView = { ...peer, connected: false, paths: [], connectedAtMs: null }
  const peers = [
    { ...far, peerId: 'forged', standing: 'unproven' },
    { ...far, peerId: 'paused', standing: 'away' },
  ]
  const { run, output } = cli({ answers: { 'peers.list': peers } })
  await run('peers')
  expect(output()).toMatch(/forged +not connected, unproven/)
  expect(output()).toMatch(/paused +not connected, away/)
})

test('ocf peers escapes control characters that peers send', async () => {
  const { run, output } = cli({ answers: { 'peers.list': [{ ...peer, offers: ['\u001b[2J\nx'] }] } })
  await run('peers')
  expect(output()).toContain('\\u001b[2J\\u000ax')
  expect(output()).not.toContain('\u001b')
})
