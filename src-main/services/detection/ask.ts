import type { IncomingHttpHeaders } from 'node:http'
import { z } from 'zod'
import { parseJson, type HttpProbe, type ProbeAnswer } from '../registry/http-probe.js'
import { MAX_MODEL_LIST_BYTES, parseModelList, type ListedModel } from './model-list.js'

/** Small questions to one server during one scan; the same question is asked once. */
export interface Ask {
  get(path: string, maxBytes?: number): Promise<ProbeAnswer>
  /** The answer where it is 200 and JSON of that shape. */
  json<S extends z.ZodType>(path: string, schema: S): Promise<z.output<S> | undefined>
  /** The answer where it is 200 and no web page. */
  text(path: string): Promise<string | undefined>
}

/** Whom to ask, and how. */
export interface AskTarget {
  host: string
  port: number
  apiKey: string | undefined
  /** Comes back from a gateway that forwards to this node. */
  headers: Readonly<Record<string, string>>
  timeoutMs: number
  signal: AbortSignal
}

/** The largest answer to anything but the list of models. */
const MAX_ANSWER_BYTES = 1024 * 1024

/** Questions to `target`. */
export function createAsk(needs: { probe: HttpProbe }, target: AskTarget): Ask {
  const answers = new Map<string, Promise<ProbeAnswer>>()

  function get(path: string, maxBytes = MAX_ANSWER_BYTES): Promise<ProbeAnswer> {
    const known = answers.get(path)
    if (known !== undefined) return known
    const answer = needs.probe.get({ ...target, path, maxBytes })
    answers.set(path, answer)
    return answer
  }

  return {
    get,
    async json(path, schema) {
      const answer = await get(path)
      if (answer.kind !== 'answer' || answer.status !== 200) return undefined
      return schema.safeParse(parseJson(answer.body)).data
    },
    async text(path) {
      const answer = await get(path)
      return answer.kind === 'answer' && answer.status === 200 && !isPage(answer.body) ? answer.body : undefined
    },
  }
}

/** Whether a body is a web page, whatever its header says. */
function isPage(body: string): boolean {
  return /^\s*<(?:!doctype|html|head|body|\?xml|!--)/i.test(body)
}

/** Where a list of models can be; the first is everybody's. */
export const LIST_PATHS = ['/v1/models', '/engines/v1/models', '/api/v1/models'] as const

/** Headers that only gateways answer with: ours, LiteLLM's, Olla's. */
const GATEWAY_HEADER = /^(?:x-computing-node|x-ocf-|x-litellm-|x-olla-)/

/** `loop_detected`: the hop header of this very node came back to it. */
const LoopSchema = z.object({ error: z.object({ code: z.literal('loop_detected') }) })

/** Models of a list that are read; a server with more is still found. */
const MAX_LISTED = 1000
/** A longer answer is no error: a list of models is not read twice. */
const MAX_LOOP_CHARS = 64 * 1024

/** An answer over HTTP, whatever it says. */
export type Answer = ProbeAnswer & { kind: 'answer' }

/** A list of models as it was answered. */
export interface SeenList {
  /** One of {@link LIST_PATHS}. */
  path: string
  headers: IncomingHttpHeaders
  models: readonly ListedModel[]
}

/** Why there is no list of models at an address. */
export type Unlisted =
  /** Something else, or nothing. */
  | { kind: 'nothing'; why: string }
  /** It took the connection and said nothing in time. */
  | { kind: 'silent' }

/** What the question for the list of models was answered with. */
export type ListAnswer =
  | { kind: 'list'; list: SeenList }
  /** It wants a key. */
  | { kind: 'locked'; path: string; answer: Answer }
  /** A 503. */
  | { kind: 'not-ready'; path: string; answer: Answer }
  | { kind: 'gateway'; path: string }
  | Unlisted

/** Asks for the list at each of `paths` until one has it, or something else speaks against it. */
export async function askForList(ask: Ask, paths: readonly string[]): Promise<ListAnswer> {
  for (const path of paths) {
    const answer = await ask.get(path, MAX_MODEL_LIST_BYTES)
    if (answer.kind === 'timeout') return { kind: 'silent' }
    if (answer.kind === 'refused') return { kind: 'nothing', why: 'nothing listens there' }
    if (answer.kind === 'too-long') return { kind: 'nothing', why: 'its list of models is too long' }
    if (answer.kind === 'broken') return { kind: 'nothing', why: 'the program there does not speak HTTP' }
    if (isGatewayAnswer(answer.status, answer.headers, answer.body)) return { kind: 'gateway', path }
    if (answer.status === 404 || answer.status === 405) continue
    if (answer.status === 401 || answer.status === 403) {
      // A page that asks for a login is no model server.
      const isLogin = isPage(answer.body) || /^basic\b/i.test(answer.headers['www-authenticate'] ?? '')
      return isLogin ? { kind: 'nothing', why: 'it answers with a web page' } : { kind: 'locked', path, answer }
    }
    if (answer.status === 503) return { kind: 'not-ready', path, answer }
    const list = answer.status === 200 ? parseModelList(answer.body) : undefined
    // A list of things that are no models is no list of models.
    if (list === undefined || (list.models.length === 0 && list.unreadable > 0)) {
      return { kind: 'nothing', why: whyNoList(answer) }
    }
    if (list.isGateway) return { kind: 'gateway', path }
    return { kind: 'list', list: { path, headers: answer.headers, models: list.models.slice(0, MAX_LISTED) } }
  }
  return { kind: 'nothing', why: 'it has no list of models' }
}

/** Whether an answer comes from something that forwards to others itself: sharing it would send requests in circles. */
function isGatewayAnswer(status: number, headers: IncomingHttpHeaders, body: string): boolean {
  if (Object.keys(headers).some((name) => GATEWAY_HEADER.test(name))) return true
  return status === 508 || (body.length <= MAX_LOOP_CHARS && LoopSchema.safeParse(parseJson(body)).success)
}

/** Whether a model server answers at an address, whatever it is: also one that wants a key or still loads its model. */
export async function isModelServer(needs: { probe: HttpProbe }, target: AskTarget): Promise<boolean> {
  const found = await askForList(createAsk(needs, target), LIST_PATHS)
  return found.kind === 'list' || found.kind === 'locked' || (found.kind === 'not-ready' && isLoading(found.answer))
}

/** Whether a 503 says that the server still loads its model. */
export function isLoading({ headers, body }: Answer): boolean {
  return headers.server === 'llama.cpp' || (!isPage(body) && /load|start|warm|not ready/i.test(body))
}

function whyNoList(answer: Answer): string {
  if (isPage(answer.body)) return 'it answers with a web page'
  return answer.status === 200 ? 'its answer is no list of models' : `it answers ${answer.status}`
}
