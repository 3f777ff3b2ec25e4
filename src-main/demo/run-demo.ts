import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { counted, durationText } from '#shared/figures.js'
import { BOOTSTRAPS_PATH } from '#shared/routes.js'
import { EXIT, type DemoOptions } from '../cli/io.js'
import { untilAskedToStop } from '../compose/run-node.js'
import { createDemoModelServer } from '../demo-model/index.js'
import { createLogger } from '../logging/index.js'
import { askThrough } from './ask-through.js'
import { startDemoNode, type DemoNode } from './demo-node.js'

const say = (line = ''): void => void process.stdout.write(`${line}\n`)

const MODEL_TIMEOUT_MS = 20_000
const QUESTION = 'What is the Open Compute network?'

/**
 * `ocf demo`: a small network of nodes on this machine, the last of them with the built-in demo model; one request goes
 * in at the first and is answered by the last. The network stays until Ctrl-C, or ends after the answer with `--once`.
 */
export async function runDemo(options: DemoOptions): Promise<number> {
  const { settings } = options
  const logger = createLogger({ level: 'warn', format: settings['log-format'], destination: process.stderr })
  const folder = await mkdtemp(join(tmpdir(), 'ocf-demo-'))
  const model = createDemoModelServer(
    { log: logger.log },
    { tokensPerSecond: settings['demo-model.tokens-per-second'] },
  )
  const nodes: DemoNode[] = []
  const stopping = new AbortController()
  const asked = untilAskedToStop().then(() => stopping.abort())
  try {
    await model.start(stopping.signal)
    say(`Demo model "${model.modelId}" listens on port ${model.port}: it answers with sentences about this project.`)
    await startNodes(nodes, { ...options, folder, modelPort: model.port }, stopping.signal)
    const [first, last] = [nodes[0], nodes.at(-1)]
    if (first === undefined || last === undefined || stopping.signal.aborted) return EXIT.interrupted
    await askAndTell(first, nodes, model.modelId, stopping.signal)
    if (options.once) return EXIT.ok
    say('\nThe demo network stays up. Stop it with Ctrl-C.')
    await asked
    return EXIT.ok
  } catch (error) {
    if (stopping.signal.aborted) return EXIT.interrupted
    process.stderr.write(`ocf demo: ${error instanceof Error ? error.message : 'it failed'}\n`)
    return EXIT.failed
  } finally {
    await Promise.all(nodes.map((node) => node.stop()))
    await model.stop()
    await rm(folder, { recursive: true, force: true })
    logger.close()
  }
}

async function startNodes(
  nodes: DemoNode[],
  options: DemoOptions & { folder: string; modelPort: number },
  signal: AbortSignal,
): Promise<void> {
  const { settings, folder } = options
  for (let index = 0; index < options.nodes && !signal.aborted; index += 1) {
    const isFirst = index === 0
    const isLast = index === options.nodes - 1
    const port = isFirst && (await isFree(settings.port)) ? settings.port : 0
    const apiPort = isFirst && (await isFree(settings['api-port'])) ? settings['api-port'] : 0
    const node = await startDemoNode([
      ...['--data-dir', join(folder, `node-${index + 1}`), '--p2p-host', '127.0.0.1', '--demo-model', 'off'],
      ...['--port', String(port), '--api-port', String(apiPort), '--tcpport', '0', '--wsport', '0', '--udpport', '0'],
      ...(nodes[0] === undefined ? [] : ['--bootstrap.sources', `${nodes[0].gateway}${BOOTSTRAPS_PATH}`]),
      ...(isLast ? ['--service.name', 'llm', '--service.port', String(options.modelPort)] : []),
    ])
    nodes.push(node)
    const role = isFirst ? 'your node' : isLast ? 'shares the demo model' : 'just takes part'
    say(`Node ${index + 1} is up (${role}): ${shortId(node.peerId)}  ${node.gateway}`)
  }
}

async function askAndTell(first: DemoNode, nodes: DemoNode[], modelId: string, signal: AbortSignal): Promise<void> {
  say(`\nWaiting until node 1 has learnt of the model…`)
  const limit = AbortSignal.any([signal, AbortSignal.timeout(MODEL_TIMEOUT_MS)])
  const answer = await askThrough(first.gateway, { model: modelId, question: QUESTION }, limit)
  const served = nodes.findIndex(({ peerId }) => peerId === answer.servedBy) + 1
  say(`You       ${QUESTION}`)
  say(`${modelId}  ${answer.text}`)
  say()
  say(
    `The path   your app → node 1 (${shortId(first.peerId)}) → node ${served} (${shortId(answer.servedBy)}) → demo model` +
      `   ${counted(answer.completionTokens, 'token')} in ${durationText(answer.tookMs)}`,
  )
  say('\nPaste this to try it yourself:')
  say(
    `curl ${first.gateway}/v1/chat/completions -H 'Content-Type: application/json' ` +
      `-d '{"model":"${modelId}","messages":[{"role":"user","content":"Hello"}]}'`,
  )
  // The link holds a secret: not for a file or a journal.
  if (process.stdout.isTTY) say(`\nDashboard of node 1: ${first.dashboard}`)
}

const shortId = (peerId: string): string => `…${peerId.slice(-6)}`

async function isFree(port: number): Promise<boolean> {
  if (port === 0) return true
  const probe = createServer()
  try {
    probe.listen(port, '127.0.0.1')
    await once(probe, 'listening')
    return true
  } catch {
    return false // taken: the demo goes to another port and says which
  } finally {
    probe.close()
  }
}
