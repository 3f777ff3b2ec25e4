import { expect, test } from 'vitest'
import type { ModelView } from '#shared/contract/models/models.js'
import type { PeerView } from '#shared/contract/network/peers.js'
import type { TrafficEntry } from '#shared/contract/node/traffic.js'
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
    ['MODEL', 'PATH', 'SPEED', 'LOAD', 'PROVIDERS', 'THIS MACHINE', 'CONTEXT'],
    ['gpt2', 'connected', '1', '1,024 tokens'],
    ['own', 'this computer', '0', 'not shared'],
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

test('ocf models shows the best path, the load and the speed of a model, and which can’t be reached', async () => {
  const load = { slotsTotal: 4, slotsFree: 1, queueLength: 5, paused: false }
  const near = { peerId: 'near', self: false, connected: true, trusted: false, visibility: 'everyone', load } as const
  const away = { ...near, peerId: 'away', connected: false }
  const busy: ModelView = { ...models[0]!, id: 'busy', providers: [near, away] }
  const gone: ModelView = { ...models[0]!, id: 'gone', providers: [away] }
  const peers: Partial<PeerView>[] = [{ peerId: 'near', paths: ['direct-quic', 'relayed'] }]
  const answered = { direction: 'out', status: 200, model: 'busy', tokens: 90, ttfbMs: 1000, durationMs: 4000 } as const
  const requests: Partial<TrafficEntry>[] = [answered, { ...answered, model: 'gone', status: 502 }]
  const { run, output } = cli({
    answers: { 'models.list': [busy, gone], 'peers.list': peers, 'traffic.recent': requests },
  })
  await run('models')
  expect(output()).toMatch(/busy +direct over QUIC +30 tokens\/s +3 of 4 \+2 +2 /)
  expect(output()).toMatch(/gone +unreachable +1 /)
})
