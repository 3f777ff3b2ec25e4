import type { PeerView } from '#shared/contract/network/peers.js'
import { ALICE, BOB, createFakeNode, type FakeNode } from '../contract/fake-node.js'
import { createFurnishedNode } from '../e2e/furnished-node.js'
import { furnishSettings } from '../e2e/real-settings.js'
import { steppingClock } from './still-clocks.js'

/** A state in which pages are looked at. */
interface State {
  name: 'empty' | 'one' | 'many' | 'error' | 'paused'
  node: () => FakeNode
}

/** From a node that has nothing to one in a busy network. Loading and away are of the page, not of the node. */
export const STATES: readonly State[] = [
  { name: 'empty', node: emptyNode },
  { name: 'one', node: nodeWithOne },
  { name: 'many', node: () => busyNode({ paused: false }) },
  { name: 'error', node: nodeInTrouble },
  { name: 'paused', node: () => busyNode({ paused: true }) },
]

function emptyNode(): FakeNode {
  const node = createFakeNode({ startedAtMs: Date.now() - 60_000, monotonic: steppingClock() })
  furnishSettings(node)
  setPaused(node, false)
  node.needs.people.list = () => []
  node.needs.people.invites = () => []
  node.needs.people.pairing.nearby = () => []
  node.needs.sharing.detector.servers = () => []
  node.needs.sharing.shares.list = () => []
  node.needs.bootstrapper.status = () => []
  serveNothing(node)
  return node
}

function nodeWithOne(): FakeNode {
  const node = emptyNode()
  node.connect(ALICE, 'direct-quic')
  node.offer(ALICE, 'llm', ['model=llama3.3:70b-instruct-q4_K_M'])
  allAnswer(node)
  const started = { direction: 'out', service: 'llm', method: 'POST', route: '/v1/chat/completions' } as const
  const request = node.traffic.begin({ id: 'one', model: 'llama3.3:70b-instruct-q4_K_M', peer: ALICE, ...started })
  request.firstByte()
  request.finish({ status: 200, tokens: 42 })
  return node
}

function busyNode({ paused }: { paused: boolean }): FakeNode {
  const node = createFurnishedNode({ monotonic: steppingClock() })
  furnishSettings(node)
  setPaused(node, paused)
  for (let index = 0; index < 60; index += 1) {
    const peerId = `12D3KooWPeer${String(index).padStart(2, '0').repeat(20)}`
    if (index % 3 > 0) node.connect(peerId, index % 3 === 1 ? 'direct-tcp' : 'relayed')
    node.offer(peerId, 'llm', [`model=${MODELS[index % MODELS.length] ?? ''}`])
  }
  allAnswer(node)
  tellFacts(node)
  fillHistory(node)
  shareWhatIsServed(node)
  return node
}

function nodeInTrouble(): FakeNode {
  const node = busyNode({ paused: false })
  const { detector, shares } = node.needs.sharing
  const [share] = shares.list()
  const services = node.needs.registry.list.bind(node.needs.registry)
  node.needs.registry.list = () =>
    services().map((service) => ({ ...service, status: 'down', models: [], identityGroups: [] }))
  node.needs.registry.connected = () => []
  const models = node.needs.models.list.bind(node.needs.models)
  node.needs.models.list = () => models().flatMap((model) => (model.peers.length === 0 ? [] : [{ ...model, own: [] }]))
  detector.servers = () => []
  shares.list = () =>
    share === undefined ? [] : [{ ...share, status: 'down', problem: 'Nothing listens on port 11434.', published: [] }]
  node.disconnect(BOB)
  node.find([
    { id: 'peers', state: 'ok', fact: '41 peers are connected.', meaning: 'The network can be used.', fix: '' },
    {
      ...{ id: 'reachable', state: 'warn', fact: 'No peer got through to this node.' },
      ...{ meaning: 'Peers reach it through a relay.', fix: 'Forward TCP port 43905 to this computer.' },
    },
    {
      ...{ id: 'clock', state: 'bad', fact: 'The clock is 2 h behind.', meaning: 'Peers refuse what this node says.' },
      ...{ fix: 'Set the clock of this computer.', brief: 'the clock is 2 h behind' },
    },
  ])
  return node
}

const MODELS = [
  'llama3.2:3b',
  'hf.co/unsloth/DeepSeek-R1-0528-Qwen3-8B-with-a-longer-name-than-most-GGUF:Q8_0',
  'nomic-embed-text:latest',
  'mistral-small3.2:24b',
  'Qwen/Qwen2.5-VL-72B-Instruct-AWQ',
]

/** The models of the servers, with what one sees of each on the Share page. */
const SERVED = [
  { id: 'qwen3:8b', sizeBytes: 5_225_388_164, parameters: '8.2B', loaded: true },
  { id: 'llama3.2:3b', sizeBytes: 2_019_393_189, parameters: '3.2B', loaded: false },
] as const

/** What is shared, what its server lists and what the registry has are the same models. */
function shareWhatIsServed(node: FakeNode): void {
  const { detector, shares } = node.needs.sharing
  const [[server], [share]] = [detector.servers(), shares.list()]
  if (server === undefined || share === undefined) throw new Error('the fake shares nothing')
  const models = SERVED.map((model) => ({ ...model, contextLength: null, quantisation: 'Q4_K_M' }))
  const ids = SERVED.map(({ id }) => id)
  detector.servers = () => [{ ...server, models }]
  shares.list = () => [
    {
      ...{ ...share, models: ids, published: ids },
      choices: ids.map((model) => ({ model, ticked: true, visibility: 'everyone' as const })),
      names: ids.map((name) => ({ name, visibility: 'everyone' as const })),
    },
  ]
}

/** No one was ever served. */
function serveNothing(node: FakeNode): void {
  const { ledger, admission } = node.needs.sharing
  const none = { requests: 0, failed: 0, tokensIn: 0, tokensOut: 0, peers: 0 }
  ledger.summary = () => ({ today: none, ever: none, firstDay: null })
  ledger.rows = () => []
  const usage = admission.usage.bind(admission)
  admission.usage = () => ({ ...usage(), slots: { used: 0, total: 4 }, consumers: [], refused: [] })
}

function allAnswer(node: FakeNode): void {
  node.needs.reachable.standing = (): PeerView['standing'] => 'proven'
}

function setPaused(node: FakeNode, paused: boolean): void {
  const { pause } = node.needs.sharing
  const state = pause.state()
  pause.state = () => (paused ? state : { ...state, paused: false, reasons: [], running: 0 })
}

/** What servers tell of the models above. */
const FACTS: Readonly<Record<string, object>> = {
  'llama3.2:3b': { kind: 'chat', parameters: '3.2B', quantization: 'Q4_K_M', contextTokens: 131_072 },
  'qwen3:8b': {
    kind: 'chat',
    parameters: '8.2B',
    quantization: 'Q4_K_M',
    contextTokens: 40_960,
    capabilities: ['tools'],
  },
  'nomic-embed-text:latest': { kind: 'embedding', parameters: '137M', quantization: 'F16', contextTokens: 8192 },
  'mistral-small3.2:24b': {
    kind: 'chat',
    parameters: '24.0B',
    quantization: 'Q4_K_M',
    capabilities: ['tools', 'vision'],
  },
  'llama3.3:70b-instruct-q4_K_M': { kind: 'chat', parameters: '70.6B', quantization: 'Q4_K_M', contextTokens: 131_072 },
}

function tellFacts(node: FakeNode): void {
  const list = node.needs.models.list.bind(node.needs.models)
  node.needs.models.list = () => list().map((model) => ({ ...model, facts: FACTS[model.id] ?? model.facts }))
}

/** A day and half a year in which something happened; the same at each run. */
function fillHistory(node: FakeNode): void {
  const wave = (index: number, most: number): number => Math.round(((Math.sin(index * 0.7) + 1) / 2) * most)
  const none = { ok: 0, failed: 0, cancelled: 0, tokensIn: 0, tokensOut: 0, bytesIn: 0, bytesOut: 0 }
  const totals = (ok: number) => ({ ...none, ok, tokensOut: ok * 180 })
  node.needs.history.read = (range) => {
    const times = { p50: 180, p90: 640, p95: 900, p99: 2100 }
    const points = Array.from({ length: 48 }, (_, index) => ({
      atMs: Math.floor(Date.now() / 3_600_000) * 3_600_000 - (47 - index) * 3_600_000,
      out: { ...totals(wave(index, 24)), failed: index % 11 === 0 ? 2 : 0 },
      in: totals(wave(index + 3, 12)),
      local: totals(wave(index + 5, 8)),
      ttfbMs: wave(index, 3) === 0 ? null : { ...times, p50: 150 + wave(index, 90), p95: 700 + wave(index, 500) },
      ttfbOfMs: {
        out: { ...times, p50: 150 + wave(index, 90) },
        in: { ...times, p50: 60 + wave(index + 2, 50) },
        local: null,
      },
      durationMs: times,
    }))
    const errors = [{ code: 'upstream_failed', count: 8 }]
    const ttfbOfMs = { out: times, in: { p50: 82, p90: 240, p95: 400, p99: 900 }, local: null }
    return { range, stepMs: 3_600_000, points, ttfbMs: times, ttfbOfMs, durationMs: times, errors }
  }
  const { ledger } = node.needs.sharing
  const served = () =>
    Array.from({ length: 140 }, (_, index) => ({
      ...{ day: new Date(Date.now() - index * 86_400_000).toISOString().slice(0, 10), failed: 0, tokensIn: 0 },
      ...{ model: index % 3 === 0 ? 'qwen3:8b' : 'llama3.2:3b', peer: index % 4 === 0 ? BOB : ALICE },
      ...{ requests: wave(index, 40), tokensOut: wave(index, 9000), tokensEstimated: 0 },
    }))
  ledger.rows = served
  ledger.summary = () => {
    const rows = served()
    const [sum, first] = [totalOf(rows), rows.at(-1)]
    return {
      today: { ...totalOf(rows.slice(0, 1)), peers: 1 },
      ever: { ...sum, peers: 2 },
      firstDay: first?.day ?? null,
    }
  }
}

function totalOf(rows: readonly { requests: number; tokensOut: number }[]) {
  const add = (key: 'requests' | 'tokensOut'): number => rows.reduce((sum, row) => sum + row[key], 0)
  return { requests: add('requests'), failed: 0, tokensIn: 0, tokensOut: add('tokensOut') }
}
