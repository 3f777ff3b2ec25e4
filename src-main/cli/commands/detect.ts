import type { DetectedServer } from '#shared/contract/sharing/detection.js'
import { EXIT, type CliIo, type ControlClient } from '../io.js'
import { counted, mayColour, textTable } from '../table.js'

/** `ocf detect`: scans this machine for model servers. */
export async function runDetect(
  needs: { io: CliIo; client: ControlClient },
  options: { json: boolean },
): Promise<number> {
  const { io, client } = needs
  const servers = await client.call('detection.scan', {})
  io.stdout.write(options.json ? `${JSON.stringify(servers, null, 2)}\n` : serversText(servers, mayColour(io)))
  return EXIT.ok
}

/** A table of servers with their models, and what to do about those that can't be used. */
export function serversText(servers: readonly DetectedServer[], colour: boolean): string {
  if (servers.length === 0) {
    return 'No model server is running on this machine. Start one (Ollama, llama.cpp, vLLM, LM Studio, …) and scan again.\n'
  }
  const rows = servers.map((server) => [
    server.address,
    server.version === null ? server.name : `${server.name} ${server.version}`,
    server.state,
    loadOf(server),
    modelsOf(server),
    server.sharedAs === null ? '' : 'shared',
  ])
  const problems = servers.flatMap(({ address, problem }) => (problem === null ? [] : [`${address}: ${problem}\n`]))
  return [textTable(['ADDRESS', 'SERVER', 'STATE', 'LOAD', 'MODELS', ''], rows, { colour }), ...problems].join('')
}

const MAX_NAMES = 3

function modelsOf({ models }: DetectedServer): string {
  const names = models.slice(0, MAX_NAMES).map(({ id }) => id)
  const more = models.length - names.length
  return models.length === 0 ? '' : `${counted(models.length, 'model')}: ${names.join(', ')}${more > 0 ? ', …' : ''}`
}

function loadOf({ load }: DetectedServer): string {
  return load === null ? '' : `${load.running} running, ${load.waiting} waiting`
}
