import { startPacedOllama, type PacedModel, type PacedOllama } from '../fixtures/model-servers/paced-ollama.js'
import { flagsToJoin, llmFlags, untilListed } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'

/** A model server beside a node that is not shared yet, and peers of that node with models of their own. */
export interface Neighbours {
  ollama: PacedOllama
  peers: NodeProcess[]
  stop(): Promise<void>
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
