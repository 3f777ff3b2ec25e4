import { startPacedOllama, type PacedModel, type PacedOllama } from '../fixtures/model-servers/paced-ollama.js'
import { chat, flagsToJoin, llmFlags, modelIds, untilListed } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'

/** A model server beside a node that is not shared yet, and peers of that node with models of their own. */
export interface Neighbours {
  ollama: PacedOllama
  peers: NodeProcess[]
  stop(): Promise<void>
}

/** {@link Neighbours} and my node. */
export interface SmallNetwork extends Neighbours {
  me: NodeProcess
}

const NO_DEMO = ['--demo-model', 'off']
const MINE: PacedModel[] = [
  { name: 'llama3.2:3b', sizeBytes: 2_019_393_189, parameters: '3.2B', quantisation: 'Q4_K_M' },
  { name: 'qwen3:8b', sizeBytes: 5_225_388_164, parameters: '8.2B', quantisation: 'Q4_K_M' },
  { name: 'nomic-embed-text:latest', sizeBytes: 274_302_450, parameters: '137M', quantisation: 'F16' },
]
const THEIRS: PacedModel[][] = [
  [{ name: 'mistral-small3.2:24b', sizeBytes: 15_177_384_862, parameters: '24.0B', quantisation: 'Q4_K_M' }],
  [
    { name: 'gemma3:27b', sizeBytes: 17_396_936_941, parameters: '27.4B', quantisation: 'Q4_K_M' },
    { name: 'mistral-small3.2:24b', sizeBytes: 15_177_384_862, parameters: '24.0B', quantisation: 'Q4_K_M' },
  ],
]

/** Starts everything; resolves when my gateway lists the peers' models. */
export async function startSmallNetwork(options: { peers?: number } = {}): Promise<SmallNetwork> {
  const me = await startNodeProcess({ flags: [...NO_DEMO, '--mode', 'node'] })
  const neighbours = await startNeighbours(me, options.peers ?? THEIRS.length)
  return {
    ...neighbours,
    me,
    async stop() {
      await me.stop()
      await neighbours.stop()
    },
  }
}

/** Starts what is around a node that runs already; resolves when its gateway lists the peers' models. */
export async function startNeighbours(me: Pick<NodeProcess, 'gateway'>, count: number): Promise<Neighbours> {
  const ollama = await startPacedOllama({ models: MINE })
  const servers = await Promise.all(
    THEIRS.slice(0, count).map((models, index) => startPacedOllama({ models, wordMs: 8 + index * 10 })),
  )
  const peers: NodeProcess[] = []
  for (const server of servers) {
    peers.push(await startNodeProcess({ flags: [...NO_DEMO, ...flagsToJoin(me), ...llmFlags(server.port)] }))
  }
  const wanted = THEIRS.slice(0, servers.length).flat()
  for (const { name } of wanted) await untilListed(me.gateway, name, 20_000)
  return {
    ollama,
    peers,
    async stop() {
      await Promise.all(peers.map((node) => node.stop()))
      await Promise.all([ollama, ...servers].map((server) => server.close()))
    },
  }
}

/** Requests of every kind: mine to peers, peers' to me, mine to my own server, and some that fail. */
export async function makeTraffic({ me, peers }: SmallNetwork, rounds: number): Promise<void> {
  const own = (await modelIds(me.gateway)).includes('qwen3:8b')
  if (own) for (const peer of peers) await untilListed(peer.gateway, 'qwen3:8b', 20_000)
  for (let i = 0; i < rounds; i += 1) {
    const requests = [
      chat(me.gateway, { model: 'mistral-small3.2:24b', stream: true }),
      chat(me.gateway, { model: 'gemma3:27b', stream: i % 2 === 0, max_tokens: 12 + i }),
      ...(own ? [chat(me.gateway, { model: 'llama3.2:3b', stream: true, max_tokens: 20 })] : []),
      ...(own ? peers.map((peer) => chat(peer.gateway, { model: 'qwen3:8b', stream: true, max_tokens: 10 + i })) : []),
      ...(i % 4 === 3 ? [chat(me.gateway, { model: 'a-model-nobody-has' })] : []),
    ]
    for (const request of requests) await (await request).text()
  }
}
