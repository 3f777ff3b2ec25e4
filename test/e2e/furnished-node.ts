import type { MonotonicClock } from '../../src-main/base/clock.js'
import { ALICE, BOB, createFakeNode, type FakeNode } from '../contract/fake-node.js'

const CAROL = '12D3KooWCarolCarolCarolCarolCarolCarolCarolCarolCaro'

/** A node in the middle of a busy day: servers, peers, finished, failed and running requests. */
export function createFurnishedNode(options: { monotonic?: MonotonicClock } = {}): FakeNode {
  const node = createFakeNode({
    ...options,
    startedAtMs: Date.now() - 5_400_000,
    gpus: [{ name: 'NVIDIA GeForce RTX 4090', total_memory: 24_564, used_memory: 9_830, busyPercent: 63, celsius: 58 }],
  })
  node.serve({
    id: 'llm@127.0.0.1:11434',
    identityGroups: ['model=qwen3:8b', 'model=llama3.2:3b'],
    models: [
      { id: 'qwen3:8b', ownedBy: 'library', created: undefined, contextLength: 40_960 },
      { id: 'llama3.2:3b', ownedBy: 'library', created: undefined, contextLength: 131_072 },
    ],
    sharedPaths: [
      { method: 'POST', path: '/v1/chat/completions' },
      { method: 'POST', path: '/v1/completions' },
      { method: 'POST', path: '/v1/embeddings' },
      { method: 'GET', path: '/v1/models' },
    ],
  })
  node.serve({
    id: 'llm@127.0.0.1:1234',
    port: 1234,
    status: 'down',
    problem: 'Nothing listens on port 1234. Start the server; this node checks again every 10 s.',
  })
  node.connect(ALICE, 'direct-quic')
  node.connect(BOB, 'relayed')
  node.offer(ALICE, 'llm', ['model=llama3.3:70b-instruct-q4_K_M', 'model=qwen3:8b', 'all'])
  node.offer(BOB, 'llm', ['model=mistral-small:24b'])
  node.offer(CAROL, 'llm', ['model=deepseek-ai/DeepSeek-R1-Distill-Qwen-32B'])
  node.needs.reachable.standing = () => 'proven'
  for (let i = 0; i < 14; i++) addRequest(node, i)
  node.writeLog('the gateway listens')
  node.writeLog('a provider does not answer and is left alone for a while', 'warn')
  node.writeLog('the node serves')
  return node
}

function addRequest(node: FakeNode, i: number): void {
  const direction = (['out', 'out', 'in', 'local'] as const)[i % 4] ?? 'out'
  const request = node.traffic.begin({
    id: `request-${i}`,
    direction,
    service: 'llm',
    method: 'POST',
    route: '/v1/chat/completions',
    model: direction === 'out' ? 'llama3.3:70b-instruct-q4_K_M' : 'qwen3:8b',
    peer: direction === 'local' ? null : i % 3 === 0 ? BOB : ALICE,
    key: direction === 'in' ? null : 'phone',
    path: direction === 'local' ? null : i % 3 === 0 ? 'relayed' : 'direct-quic',
  })
  request.update({ tries: i === 5 ? 3 : 1, status: i === 5 ? 502 : 200 })
  request.firstByte()
  request.addBytes(812, 4_100 + i * 977)
  if (i === 13) return
  if (i === 5) request.finish({ error: 'upstream_failed' })
  else if (i === 8) request.finish({ cancelledBy: 'client' })
  else request.finish({ tokens: 180 + i * 13 })
}
