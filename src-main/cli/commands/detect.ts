import type { DetectedServer, ServerState } from '#shared/contract/sharing/detection.js'
import type { ServiceView } from '#shared/contract/sharing/services.js'
import type { ShareView } from '#shared/contract/sharing/shares.js'
import type { Visibility } from '#shared/contract/sharing/visibility.js'
import { counted } from '#shared/figures.js'
import { EXIT, type CliIo, type ControlClient } from '../io.js'
import { mayColour, textTable } from '../table.js'

/** A server with what may be used of it now; `shared` is null while nothing was chosen for it. */
interface ListedServer extends DetectedServer {
  shared: ServiceView['models'] | null
}

/** `ocf detect`: scans this machine for model servers. */
export async function runDetect(
  needs: { io: CliIo; client: ControlClient },
  options: { json: boolean },
): Promise<number> {
  const { io, client } = needs
  const servers = await withShares(client, await client.call('detection.scan', {}))
  io.stdout.write(options.json ? `${JSON.stringify(servers, null, 2)}\n` : serversText(servers, mayColour(io)))
  return EXIT.ok
}

/** What a scan found with what is shared of it, and what is shared where no scan looks. */
export async function withShares(client: ControlClient, found: readonly DetectedServer[]): Promise<ListedServer[]> {
  const services = await client.call('services.list', {})
  const shares = await client.call('shares.list', {})
  const elsewhere = shares.filter(({ id }) => !found.some(({ sharedAs }) => sharedAs === id)).map(serverOf)
  return [...found, ...elsewhere].map((server) => {
    const isIts = ({ id, name, address }: ServiceView): boolean =>
      id === server.sharedAs || (name === 'llm' && address === server.address)
    return { ...server, shared: services.find(isIts)?.models ?? null }
  })
}

const STATE_OF_SHARE: Readonly<Record<ShareView['status'], ServerState>> = {
  connected: 'ready',
  starting: 'starting',
  down: 'not-found',
}

/** A shared server that the scan did not find: it is at a port where none is looked for, or it is away. */
function serverOf({ id, address, host, port, kind, name, status, problem, names }: ShareView): DetectedServer {
  const unknown = { contextLength: null, quantisation: null, sizeBytes: null, parameters: null, loaded: null }
  return {
    ...{ address, host, port, kind, name, version: null, state: STATE_OF_SHARE[status], problem },
    models: names.map((model) => ({ id: model.name, ...unknown })),
    ...{ load: null, typed: false, sharedAs: id, remembered: null },
  }
}

/** A table of servers with their models, and what to do about those that can't be used. */
export function serversText(servers: readonly ListedServer[], colour: boolean): string {
  if (servers.length === 0) {
    return 'No model server is running on this machine. Start one (Ollama, llama.cpp, vLLM, LM Studio, …) and scan again.\n'
  }
  const rows = servers.map((server) => [
    server.address,
    server.version === null ? server.name : `${server.name} ${server.version}`,
    server.state,
    loadOf(server),
    modelsOf(server),
    sharedOf(server),
  ])
  const problems = servers.flatMap(({ address, problem }) => (problem === null ? [] : [`${address}: ${problem}\n`]))
  return [textTable(['ADDRESS', 'SERVER', 'STATE', 'LOAD', 'MODELS', 'SHARED'], rows, { colour }), ...problems].join('')
}

const WHO: Readonly<Record<Visibility, string>> = {
  everyone: 'with everyone',
  trusted: 'with peers you trust',
  me: 'on this computer',
}

/** How many of its models may be used by whom; a server that has others now than those chosen shares none. */
function sharedOf({ shared }: ListedServer): string {
  if (shared === null) return 'no'
  const counts = Object.entries(WHO).flatMap(([visibility, who]) => {
    const count = shared.filter((model) => model.visibility === visibility).length
    return count === 0 ? [] : [`${count} ${who}`]
  })
  return counts.length === 0 ? 'none of its models' : counts.join(', ')
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
