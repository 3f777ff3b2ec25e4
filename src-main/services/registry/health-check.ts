import { MAX_MODEL_LIST_BYTES, parseModelList, type ListedModel } from '../detection/model-list.js'
import { readProps } from '../detection/servers/llama-cpp.js'
import { readDetails } from '../detection/servers/lm-studio.js'
import { readRunning, readTags } from '../detection/servers/ollama.js'
import type { ToldModel } from '../detection/servers/profile.js'
import type { LocalModel, ServerFacts, ServiceRegistration } from '../index.js'
import { parseJson, type HttpProbe, type ProbeAnswer } from './http-probe.js'
import { isOllamaList } from './published-models.js'
import { LLM } from './registration.js'
import { hostsToTry } from './target.js'

/** What one check of a server showed. */
export type CheckOutcome =
  /** It works. `models` is undefined where the service has no list of them. */
  | { kind: 'alive'; models: readonly LocalModel[] | undefined; unreadable: number }
  /** It says itself that it is not ready yet (503). */
  | { kind: 'loading' }
  /** Nothing listens there. */
  | { kind: 'refused' }
  /** It listens but does not answer in time. */
  | { kind: 'silent' }
  /** It answers, but not as such a server should. */
  | { kind: 'unfit'; reason: string }

/** Checks one server; remembers whether it has a health page. */
export interface HealthCheck {
  check(signal: AbortSignal, timeoutMs: number): Promise<CheckOutcome>
}

const MAX_HEALTH_BYTES = 64 * 1024
const TAGS_PATH = '/api/tags'
const RUNNING_PATH = '/api/ps'

/** LM Studio answers 200 to every path and logs a health probe as a mistake. */
const LM_STUDIO_OWNER = 'organization_owner'

/** Where a server tells more of its models than in its list. */
interface DetailsSource {
  isOf(models: readonly LocalModel[]): boolean
  path: string
  /** What it tells of a model, by the server's id of it. */
  read(value: unknown): (id: string) => ToldModel | undefined
}

const DETAILS: readonly DetailsSource[] = [
  {
    isOf: (models) => models.some(({ ownedBy }) => ownedBy === LM_STUDIO_OWNER),
    path: '/api/v0/models',
    read(value) {
      const details = readDetails(value)
      return (id) => details?.get(id)
    },
  },
  {
    // Of several models it would not say which is meant.
    isOf: ([only, ...others]) => only?.ownedBy === 'llamacpp' && others.length === 0,
    path: '/props',
    read(value) {
      const told = readProps(value)
      return () => told
    },
  },
]

/** The check that suits the registration: `llm` must tell its models, anything else must answer. */
export function createHealthCheck(
  needs: { probe: HttpProbe },
  registration: Pick<ServiceRegistration, 'name' | 'host' | 'port' | 'healthPath' | 'apiKey' | 'identityGroups'> &
    Partial<Pick<ServiceRegistration, 'basePath'>>,
): HealthCheck {
  const listPath = `${registration.basePath ?? ''}/v1/models`
  // A server whose list is its health page is asked once.
  let hasHealthPage = registration.healthPath !== listPath

  /** Tokens that each model was loaded with when it was last seen in memory: an Ollama tells that only meanwhile. */
  let loadedWith: ReadonlyMap<string, number> = new Map()

  /** The one that answered last comes first. */
  let hosts = hostsToTry(registration.host)

  async function get(path: string, maxBytes: number, signal: AbortSignal, timeoutMs: number): Promise<ProbeAnswer> {
    const [host = registration.host, other] = hosts
    const answer = await needs.probe.get({ ...registration, host, path, maxBytes, signal, timeoutMs })
    if (answer.kind !== 'refused' || other === undefined) return answer
    const second = await needs.probe.get({ ...registration, host: other, path, maxBytes, signal, timeoutMs })
    // A machine without ::1 refuses it with another error.
    if (second.kind === 'refused' || second.kind === 'broken') return answer
    hosts = [other, host]
    return second
  }

  async function checkLlm(signal: AbortSignal, timeoutMs: number): Promise<CheckOutcome> {
    const listed = readModels(await get(listPath, MAX_MODEL_LIST_BYTES, signal, timeoutMs), registration)
    const seen = await withDetails(listed, signal, timeoutMs)
    if (seen.kind !== 'alive') {
      if (seen.kind !== 'unfit') hasHealthPage = registration.healthPath !== listPath
      return seen
    }
    if (seen.models?.some((model) => model.ownedBy === LM_STUDIO_OWNER) === true) hasHealthPage = false
    if (!hasHealthPage) return seen
    const health = await get(registration.healthPath, MAX_HEALTH_BYTES, signal, timeoutMs)
    if (health.kind !== 'answer') return withoutAnswer(health)
    if (health.status === 503) return { kind: 'loading' }
    // A server without a health page is alive because it lists its models.
    hasHealthPage = isSuccess(health.status) || health.status >= 500
    return seen
  }

  /** An Ollama tells more of its models in a list of its own, and only there which of them run elsewhere. */
  async function withTags(seen: CheckOutcome, signal: AbortSignal, timeoutMs: number): Promise<CheckOutcome> {
    if (seen.kind !== 'alive' || seen.models === undefined || !isOllamaList(seen.models)) return seen
    const answer = await get(TAGS_PATH, MAX_MODEL_LIST_BYTES, signal, timeoutMs)
    const tags = answer.kind === 'answer' && answer.status === 200 ? readTags(parseJson(answer.body)) : undefined
    if (tags === undefined) return seen
    const running = await get(RUNNING_PATH, MAX_HEALTH_BYTES, signal, timeoutMs)
    const loaded = running.kind === 'answer' && running.status === 200 ? readRunning(parseJson(running.body)) : []
    loadedWith = new Map([...loadedWith, ...loaded].filter(([id]) => tags.has(id)))
    const models = seen.models.map((model): LocalModel => {
      const tag = tags.get(model.id)
      if (tag === undefined) return model
      const { facts, isCloud } = tag
      const contextLength = loadedWith.get(model.id) ?? tag.contextLength ?? model.contextLength
      return { ...model, contextLength, facts: { ...model.facts, ...facts }, ...(isCloud ? { isCloud } : {}) }
    })
    return { ...seen, models }
  }

  /** Some servers tell more of their models elsewhere: what they can do, and how much they take as they are served. */
  async function withDetails(seen: CheckOutcome, signal: AbortSignal, timeoutMs: number): Promise<CheckOutcome> {
    if (seen.kind !== 'alive' || seen.models === undefined) return seen
    const { models: listed } = seen
    const source = DETAILS.find((one) => one.isOf(listed))
    if (source === undefined) return await withTags(seen, signal, timeoutMs)
    const answer = await get(source.path, MAX_MODEL_LIST_BYTES, signal, timeoutMs)
    const told =
      answer.kind === 'answer' && answer.status === 200 ? source.read(parseJson(answer.body)) : () => undefined
    const models = listed.map((model): LocalModel => {
      const more = told(model.id)
      if (more === undefined) return model
      const facts = { ...model.facts, ...defined(more.facts) }
      return { ...model, contextLength: more.contextLength ?? model.contextLength, facts }
    })
    return { ...seen, models }
  }

  async function checkGeneric(signal: AbortSignal, timeoutMs: number): Promise<CheckOutcome> {
    const health = await get(registration.healthPath, MAX_HEALTH_BYTES, signal, timeoutMs)
    if (health.kind !== 'answer') return withoutAnswer(health)
    if (health.status === 503) return { kind: 'loading' }
    if (health.status >= 500) return { kind: 'unfit', reason: `its health page answers ${health.status}` }
    return { kind: 'alive', models: undefined, unreadable: 0 }
  }

  return { check: registration.name === LLM ? checkLlm : checkGeneric }
}

function readModels(answer: ProbeAnswer, registration: Pick<ServiceRegistration, 'identityGroups'>): CheckOutcome {
  if (answer.kind !== 'answer') return withoutAnswer(answer)
  const { status, body } = answer
  if (status === 503) return { kind: 'loading' }
  if (status === 401 || status === 403) return { kind: 'unfit', reason: 'it needs a key' }
  if (status === 404 && registration.identityGroups.length > 0) {
    return { kind: 'alive', models: undefined, unreadable: 0 }
  }
  if (!isSuccess(status)) return { kind: 'unfit', reason: `GET /v1/models answers ${status}` }
  const list = parseModelList(body)
  if (list === undefined) return { kind: 'unfit', reason: 'GET /v1/models answers no list of models' }
  if (list.isGateway) return { kind: 'unfit', reason: 'it is a gateway that forwards to others, not a model server' }
  return { kind: 'alive', models: list.models.map(toLocal), unreadable: list.unreadable }
}

function toLocal(listed: ListedModel): LocalModel {
  const { id, ownedBy, created, contextLength, quantisation: quantization, sizeBytes, parameters, speed } = listed
  const facts = { quantization, sizeBytes, parameters, ...(speed === undefined ? {} : { speed }) }
  return { id, ownedBy, created, contextLength, facts }
}

/** Without the members that say nothing: they would hide what is known already. */
const defined = (facts: ServerFacts): ServerFacts =>
  Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined))

function withoutAnswer(answer: Exclude<ProbeAnswer, { kind: 'answer' }>): CheckOutcome {
  if (answer.kind === 'refused') return { kind: 'refused' }
  if (answer.kind === 'timeout') return { kind: 'silent' }
  if (answer.kind === 'too-long') return { kind: 'unfit', reason: 'its answer is too long' }
  return { kind: 'unfit', reason: `the connection broke (${answer.reason})` }
}

function isSuccess(status: number): boolean {
  return status >= 200 && status < 300
}
