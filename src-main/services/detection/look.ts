import type { DetectedModel, DetectedServer, ServerKind } from '#shared/contract/detection.js'
import { SERVER_NAMES } from '#shared/contract/detection.js'
import { MAX_MODEL_LIST_BYTES } from '../registry/constants.js'
import type { HttpProbe, ProbeAnswer } from '../registry/http-probe.js'
import { authorityOf } from '../registry/target.js'
import { createAsk, isPage, type Ask } from './ask.js'
import { isGatewayAnswer } from './gateways.js'
import { readEntries, type SeenList } from './model-entries.js'
import { OPENAI_HEALTH_PATH, PROFILES } from './servers/index.js'
import { NAMELESS, type Identity, type ServerProfile, type Status } from './servers/profile.js'
import { VllmVersionSchema } from './servers/vllm.js'

/** A server as one look showed it, and how it is registered if it is shared. */
export interface Sighting extends Omit<DetectedServer, 'typed' | 'sharedAs'> {
  /** What stands before `/v1` in its paths: empty, `/engines`, `/api`. */
  basePath: string
  healthPath: string
  /** Remembered for the next look. */
  memory: Memory
}

/** What need not be asked again while the server stays the same. */
export interface Memory {
  listPath: string
  profile: ServerProfile | undefined
  identity: Identity
  /** The ids it had: other ids, other details. */
  modelIds: string
}

/** What one look at an address showed. */
export type LookResult =
  | { kind: 'server'; sighting: Sighting }
  /** Something else, or nothing. */
  | { kind: 'nothing'; why: string }
  /** It took the connection and said nothing in time. */
  | { kind: 'silent' }

/** Where and how to look. */
export interface LookTarget {
  host: string
  port: number
  apiKey: string | undefined
  keeper: ServerKind | undefined
  hopHeaders: Readonly<Record<string, string>>
  timeoutMs: number
  /** A person is looking. */
  watched: boolean
  signal: AbortSignal
}

/** Where a list of models can be; the first is everybody's. */
const LIST_PATHS = ['/v1/models', '/engines/v1/models', '/api/v1/models']

/**
 * Looks at one address: its list of models, then what confirms the suspicion, then what changes. A server that is known
 * is asked for its list and its state only.
 */
export async function lookAt(
  needs: { probe: HttpProbe },
  target: LookTarget,
  memory: Memory | undefined,
): Promise<LookResult> {
  const ask = createAsk(needs, { ...target, headers: target.hopHeaders })
  const place = { address: authorityOf(target), host: target.host, port: target.port }
  for (const path of memory === undefined ? LIST_PATHS : [memory.listPath]) {
    const answer = await ask.get(path, MAX_MODEL_LIST_BYTES)
    if (answer.kind === 'timeout') return { kind: 'silent' }
    if (answer.kind === 'refused') return { kind: 'nothing', why: 'nothing listens there' }
    if (answer.kind === 'broken') return { kind: 'nothing', why: 'the program there does not speak HTTP' }
    if (isGatewayAnswer(answer.status, answer.headers, answer.body)) return gateway(place, path)
    if (answer.status === 404 || answer.status === 405) continue
    if (answer.status === 401 || answer.status === 403) return await lockedServer(ask, place, path, answer, target)
    if (answer.status === 503) return await startingServer(place, path, answer, memory)
    const list = answer.status === 200 ? readEntries(path, answer.body, answer.headers) : undefined
    if (list === undefined) return { kind: 'nothing', why: whyNoList(answer) }
    if (list.isGateway) return gateway(place, path)
    return { kind: 'server', sighting: await describe(ask, place, list, target, memory) }
  }
  return { kind: 'nothing', why: 'it has no list of models' }
}

type Place = Pick<Sighting, 'address' | 'host' | 'port'>
type Answer = ProbeAnswer & { kind: 'answer' }

async function describe(
  ask: Ask,
  place: Place,
  list: SeenList,
  target: LookTarget,
  memory: Memory | undefined,
): Promise<Sighting> {
  const modelIds = JSON.stringify(list.entries.map(({ id }) => id))
  const stays = memory !== undefined && memory.modelIds === modelIds && (memory.profile?.suspects(list) ?? true)
  const { profile, identity } = stays ? memory : await recognise(ask, list)
  const kind = profile?.kind ?? (target.keeper === 'jan' ? 'jan' : 'openai-compatible')
  const status = (await profile?.status?.(ask, list, target.watched)) ?? {}
  const hasModels = list.entries.length > 0
  return {
    ...place,
    kind,
    name: SERVER_NAMES[kind],
    version: identity.version ?? null,
    state: hasModels ? (status.state ?? 'ready') : 'no-models',
    problem: hasModels ? null : noModels(kind),
    models: list.entries.map((entry): DetectedModel => modelOf(entry, identity, status)),
    load: status.load ?? null,
    basePath: basePathOf(list.path),
    healthPath: profile?.healthPath ?? OPENAI_HEALTH_PATH,
    memory: { listPath: list.path, profile, identity, modelIds },
  }
}

/** The first suspicion that its own request confirms. */
async function recognise(ask: Ask, list: SeenList): Promise<Pick<Memory, 'profile' | 'identity'>> {
  for (const profile of PROFILES) {
    if (!profile.suspects(list)) continue
    const identity = await profile.identify(ask, list)
    if (identity !== undefined) return { profile, identity }
  }
  return { profile: undefined, identity: NAMELESS }
}

function modelOf(entry: SeenList['entries'][number], identity: Identity, status: Status): DetectedModel {
  const told = identity.details.get(entry.id)
  return {
    id: entry.id,
    contextLength: told?.contextLength ?? entry.contextLength ?? null,
    quantisation: told?.quantisation ?? entry.quantisation ?? null,
    sizeBytes: told?.sizeBytes ?? entry.sizeBytes ?? null,
    parameters: told?.parameters ?? entry.parameters ?? null,
    loaded: status.loaded === undefined ? null : status.loaded.has(entry.id),
  }
}

/** Something that wants a key. A page that asks for a login is no model server. */
async function lockedServer(
  ask: Ask,
  place: Place,
  path: string,
  answer: Answer,
  target: LookTarget,
): Promise<LookResult> {
  if (isPage(answer.body) || /^basic\b/i.test(answer.headers['www-authenticate'] ?? '')) {
    return { kind: 'nothing', why: 'it answers with a web page' }
  }
  const isLlamaCpp = answer.headers.server === 'llama.cpp'
  // vLLM locks its /v1 paths only.
  const version = isLlamaCpp ? undefined : (await ask.json('/version', VllmVersionSchema))?.version
  const kind = isLlamaCpp ? 'llama.cpp' : (target.keeper ?? (version === undefined ? 'openai-compatible' : 'vllm'))
  const problem =
    target.apiKey === undefined
      ? 'It needs a key. Give the one you set in it.'
      : 'It does not take the key that was given.'
  return { kind: 'server', sighting: bare(place, path, kind, 'needs-key', problem, version) }
}

/** A 503 is a server that loads its model where it says so; from anything else it says nothing. */
function startingServer(place: Place, path: string, answer: Answer, memory: Memory | undefined): Promise<LookResult> {
  const kind = answer.headers.server === 'llama.cpp' ? 'llama.cpp' : memory?.profile?.kind
  const saysSo = !isPage(answer.body) && /load|start|warm|not ready/i.test(answer.body)
  if (kind === undefined && !saysSo) return Promise.resolve({ kind: 'nothing', why: 'it answers 503' })
  const sighting = bare(place, path, kind ?? 'openai-compatible', 'starting', 'It is still loading its model.')
  return Promise.resolve({ kind: 'server', sighting })
}

function gateway(place: Place, path: string): LookResult {
  const problem = 'This is a gateway that forwards to others itself. Share the model server behind it.'
  return { kind: 'server', sighting: bare(place, path, 'gateway', 'unusable', problem) }
}

function bare(
  place: Place,
  path: string,
  kind: ServerKind,
  state: Sighting['state'],
  problem: string,
  version?: string,
): Sighting {
  const profile = PROFILES.find((candidate) => candidate.kind === kind)
  return {
    ...place,
    kind,
    name: SERVER_NAMES[kind],
    version: version ?? null,
    state,
    problem,
    models: [],
    load: null,
    basePath: basePathOf(path),
    healthPath: profile?.healthPath ?? OPENAI_HEALTH_PATH,
    // Ids no list has: once it answers, everything is asked anew.
    memory: { listPath: path, profile, identity: NAMELESS, modelIds: '' },
  }
}

const basePathOf = (listPath: string): string => listPath.slice(0, -'/v1/models'.length)

function noModels(kind: ServerKind): string {
  const advice = kind === 'ollama' ? 'Pull one with `ollama pull llama3.2`.' : 'Load one in it.'
  return `${SERVER_NAMES[kind]} answers, but it has no models yet. ${advice}`
}

function whyNoList(answer: Answer): string {
  if (isPage(answer.body)) return 'it answers with a web page'
  return answer.status === 200 ? 'its answer is no list of models' : `it answers ${answer.status}`
}
