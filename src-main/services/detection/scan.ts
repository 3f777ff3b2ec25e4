import type { DetectedModel, DetectedServer, ServerKind } from '#shared/contract/sharing/detection.js'
import { SERVER_NAMES } from '#shared/contract/sharing/detection.js'
import type { HttpProbe } from '../registry/http-probe.js'
import { authorityOf } from '../registry/target.js'
import {
  askForList,
  createAsk,
  isLoading,
  LIST_PATHS,
  type Answer,
  type Ask,
  type AskTarget,
  type SeenList,
  type Unlisted,
} from './ask.js'
import type { ListedModel } from './model-list.js'
import { OPENAI_HEALTH_PATH, PROFILES } from './servers/index.js'
import { NAMELESS, type Identity, type ServerProfile, type Status } from './servers/profile.js'
import { VllmVersionSchema } from './servers/vllm.js'

/** A server as one scan showed it, and how it is registered if it is shared. */
export interface DetectionResult extends Omit<DetectedServer, 'typed' | 'sharedAs' | 'remembered'> {
  /** What stands before `/v1` in its paths: empty, `/engines`, `/api`. */
  basePath: string
  healthPath: string
  /** Remembered for the next scan. */
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

/** What one scan of an address showed. */
export type ScanOutcome = { kind: 'server'; server: DetectionResult } | Unlisted

/** Where and how to scan. */
export interface ScanTarget extends AskTarget {
  expectedKind: ServerKind | undefined
  /** A person is watching. */
  watched: boolean
}

/**
 * Scans one address: its list of models, then what confirms the suspicion, then what changes. A server that is known
 * is asked for its list and its state only.
 */
export async function scanAddress(
  needs: { probe: HttpProbe },
  target: ScanTarget,
  memory: Memory | undefined,
): Promise<ScanOutcome> {
  const ask = createAsk(needs, target)
  const where = { address: authorityOf(target), host: target.host, port: target.port }
  const found = await askForList(ask, memory === undefined ? LIST_PATHS : [memory.listPath])
  switch (found.kind) {
    case 'list':
      return { kind: 'server', server: await describe(ask, where, found.list, target, memory) }
    case 'locked':
      return lockedServer(ask, where, found, target)
    case 'not-ready':
      return startingServer(where, found, memory?.profile?.kind)
    case 'gateway':
      return gateway(where, found.path)
    default:
      return found
  }
}

type Where = Pick<DetectionResult, 'address' | 'host' | 'port'>
async function describe(
  ask: Ask,
  where: Where,
  list: SeenList,
  target: ScanTarget,
  memory: Memory | undefined,
): Promise<DetectionResult> {
  const modelIds = JSON.stringify(list.models.map(({ id }) => id))
  const stays = memory !== undefined && memory.modelIds === modelIds && (memory.profile?.suspects(list) ?? true)
  const { profile, identity } = stays ? memory : await recognise(ask, list)
  const kind = profile?.kind ?? (target.expectedKind === 'jan' ? 'jan' : 'openai-compatible')
  const status = (await profile?.status?.(ask, list, target.watched)) ?? {}
  const hasModels = list.models.length > 0
  const isLocked = identity.isLocked === true
  return {
    ...where,
    kind,
    name: SERVER_NAMES[kind],
    version: identity.version ?? null,
    state: isLocked ? 'needs-key' : hasModels ? (status.state ?? 'ready') : 'no-models',
    problem: isLocked ? keyProblem(target) : hasModels ? null : noModels(kind),
    models: list.models.map((model): DetectedModel => modelOf(model, identity, status)),
    load: status.load ?? null,
    basePath: basePathOf(list.path),
    healthPath: profile?.healthPath ?? OPENAI_HEALTH_PATH,
    // One that wants a key is asked anew each time.
    memory: { listPath: list.path, profile, identity, modelIds: isLocked ? '' : modelIds },
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

function modelOf(listed: ListedModel, identity: Identity, status: Status): DetectedModel {
  const known = identity.details.get(listed.id)
  return {
    id: listed.id,
    contextLength: known?.contextLength ?? listed.contextLength ?? null,
    quantisation: known?.quantisation ?? listed.quantisation ?? null,
    sizeBytes: known?.sizeBytes ?? listed.sizeBytes ?? null,
    parameters: known?.parameters ?? listed.parameters ?? null,
    loaded: status.loaded === undefined ? null : status.loaded.has(listed.id),
    ...(known?.cloud === true ? { cloud: true } : {}),
  }
}

/** Something that wants a key. */
async function lockedServer(
  ask: Ask,
  where: Where,
  { path, answer }: { path: string; answer: Answer },
  target: ScanTarget,
): Promise<ScanOutcome> {
  const isLlamaCpp = answer.headers.server === 'llama.cpp'
  // vLLM locks its /v1 paths only.
  const version = isLlamaCpp ? undefined : (await ask.json('/version', VllmVersionSchema))?.version
  const guess = target.expectedKind ?? (version === undefined ? 'openai-compatible' : 'vllm')
  const server = bare(where, path, isLlamaCpp ? 'llama.cpp' : guess, 'needs-key', keyProblem(target), version)
  return { kind: 'server', server }
}

const keyProblem = ({ apiKey }: ScanTarget): string =>
  apiKey === undefined ? 'It needs a key. Give the one you set in it.' : 'It does not take the key that was given.'

/** A 503 is a server that loads its model where it says so; from anything else it says nothing. */
function startingServer(
  where: Where,
  { path, answer }: { path: string; answer: Answer },
  knownKind: ServerKind | undefined,
): ScanOutcome {
  const kind = answer.headers.server === 'llama.cpp' ? 'llama.cpp' : knownKind
  if (kind === undefined && !isLoading(answer)) return { kind: 'nothing', why: 'it answers 503' }
  const server = bare(where, path, kind ?? 'openai-compatible', 'starting', 'It is still loading its model.')
  return { kind: 'server', server }
}

function gateway(where: Where, path: string): ScanOutcome {
  const problem = 'This is a gateway that forwards to others itself. Share the model server behind it.'
  return { kind: 'server', server: bare(where, path, 'gateway', 'unusable', problem) }
}

function bare(
  where: Where,
  path: string,
  kind: ServerKind,
  state: DetectionResult['state'],
  problem: string,
  version?: string,
): DetectionResult {
  const profile = PROFILES.find((candidate) => candidate.kind === kind)
  return {
    ...where,
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

/** Why nothing can be shared at an address, in a sentence. */
export function noServer(address: string, outcome: Unlisted): string {
  const why = outcome.kind === 'silent' ? 'it does not answer in time' : outcome.why
  return `There is no model server at ${address}: ${why}.`
}

/** How an address without a model server is shown. */
export function notFound(target: { host: string; port: number }, outcome: Unlisted): DetectionResult {
  const where = { address: authorityOf(target), host: target.host, port: target.port }
  return bare(where, LIST_PATHS[0], 'openai-compatible', 'not-found', noServer(where.address, outcome))
}

function noModels(kind: ServerKind): string {
  const advice = kind === 'ollama' ? 'Pull one with `ollama pull llama3.2`.' : 'Load one in it.'
  return `${SERVER_NAMES[kind]} answers, but it has no models yet. ${advice}`
}
