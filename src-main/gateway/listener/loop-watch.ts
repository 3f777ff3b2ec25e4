import { randomBytes } from 'node:crypto'
import { AppError } from '#shared/errors.js'
import { BoundedMap } from '../../base/bounded-map.js'
import type { MonotonicClock } from '../../base/clock.js'
import { NOT_A_MEMBER, SwapRemoveSet, type SwapRemoveMember } from '../../base/memory/swap-remove-set.js'
import type { Log } from '../../logging/index.js'
import { authorityOf, FORWARDS_BACK, type LocalService, type ServiceRegistry } from '../../services/index.js'
import { modelOf, type RequestBody } from '../body/request-body.js'
import type { LocalClients } from '../forward/local-clients.js'

/** So many requests of one content that a server has not begun to answer may be one that goes in circles. */
const SUSPICIOUS = 4

/** A server is asked no more often whether it is one of those. */
const ASK_EVERY_MS = 10 * 60_000

/** A question comes back within so much or not at all. */
const BACK_WITHIN_MS = 10_000

const MAX_SERVERS = 64

/** A request as far as it matters here. */
interface Watched {
  readonly body: RequestBody
}

/** A request that its server has not begun to answer. */
class Waiting implements SwapRemoveMember {
  setIndex = NOT_A_MEMBER
  readonly request: Watched

  constructor(request: Watched) {
    this.request = request
  }
}

interface LoopWatchNeeds {
  localClients: Pick<LocalClients, 'to'>
  registry: Pick<ServiceRegistry, 'reportLoop' | 'apiKey' | 'get'>
  monotonic: MonotonicClock
  log: Log
}

/**
 * Recognises a server of this machine that forwards to this node, straight or through others, and takes off every header
 * by which a node would know its own request. Where the same content piles up at a server it is sent one short question
 * of its own: what comes back is proof, and such a server is withdrawn.
 */
export class LoopWatch {
  readonly #needs: LoopWatchNeeds
  /** By server: what it has not begun to answer. */
  readonly #waiting = new BoundedMap<string, SwapRemoveSet<Waiting>>(MAX_SERVERS)
  /** By the word it holds: of which server the question was. */
  readonly #asked = new Map<string, LocalService>()
  /** By server: until when nothing is compared, since it was just now, or since it was asked. */
  readonly #restsUntilMs = new BoundedMap<string, number>(MAX_SERVERS)

  constructor(needs: LoopWatchNeeds) {
    this.#needs = needs
  }

  /**
   * To be called of each request as soon as its body is here.
   * @throws AppError `loop_detected` where it is a question of this node's that came back
   */
  check({ body }: Watched): void {
    if (this.#asked.size === 0 || body.kind !== 'read') return
    for (const [word, service] of this.#asked) {
      if (!body.bytes.includes(word)) continue
      this.#needs.registry.reportLoop(service.id)
      this.#needs.log.warn('a model server forwards to this node and is withdrawn', { service: service.id })
      throw loopError()
    }
  }

  /** Whether that server was found to forward to this node, and was not shared anew since. */
  isProven(serviceId: string): boolean {
    return this.#needs.registry.get(serviceId)?.problem === FORWARDS_BACK
  }

  /** A request goes to a server of this machine; returns what is to be called once that begins to answer, or fails. */
  begin(request: Watched, service: LocalService): () => void {
    let all = this.#waiting.get(service.id)
    if (all === undefined) {
      all = new SwapRemoveSet()
      this.#waiting.set(service.id, all)
    }
    const waiting = new Waiting(request)
    all.add(waiting)
    if (all.size >= SUSPICIOUS) this.#suspect(request, service, all)
    return () => void all.delete(waiting)
  }

  #suspect({ body }: Watched, service: LocalService, waiting: Iterable<Waiting>): void {
    const model = modelOf(body)
    const nowMs = this.#needs.monotonic.elapsedMs()
    if (model === undefined || nowMs < (this.#restsUntilMs.peek(service.id) ?? 0)) return
    this.#restsUntilMs.set(service.id, nowMs + COMPARE_EVERY_MS)
    const content = contentOf(body)
    if (content === undefined) return
    const alike = [...waiting].slice(-MAX_COMPARED).filter(({ request }) => contentOf(request.body) === content)
    if (alike.length < SUSPICIOUS) return
    this.#restsUntilMs.set(service.id, nowMs + ASK_EVERY_MS)
    this.#ask(service, service.serverModelIds.get(model) ?? model)
  }

  #ask(service: LocalService, model: string): void {
    const { basePath = '' } = service
    const word = `ocf-loop-${randomBytes(12).toString('hex')}`
    const key = this.#needs.registry.apiKey(service.id)
    const body = Buffer.from(JSON.stringify({ model, messages: [{ role: 'user', content: word }], max_tokens: 1 }))
    this.#asked.set(word, service)
    const headers = {
      ...{ host: authorityOf(service), 'content-type': 'application/json' },
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    }
    const over = (): void => {
      clearTimeout(timer)
      this.#asked.delete(word)
    }
    const timer = setTimeout(over, BACK_WITHIN_MS).unref()
    this.#needs.localClients.to(service).send(
      { method: 'POST', path: `${basePath}/v1/chat/completions`, headers, body, idleTimeoutMs: BACK_WITHIN_MS },
      {
        onStart: () => undefined,
        onUpgrade: (_headers, socket) => socket.destroy(),
        onHead: () => undefined,
        onData: () => undefined,
        onEnd: over,
        onError: over,
      },
    )
  }
}

/** What is said of a request to such a server. */
export function loopError(): AppError {
  return new AppError(
    'loop_detected',
    'The server that offers this is no model server: it forwards to the node that asks it, and the request came back. Its owner has to share the model server behind it.',
  )
}

/** Longer ones are not compared, nor are more of them at a time: some milliseconds of work in a quarter of a second. */
const MAX_COMPARED_BYTES = 64 * 1024
const MAX_COMPARED = 8
const COMPARE_EVERY_MS = 250

/** The texts that are asked, however they are written; undefined where they are not known. */
function contentOf(body: RequestBody): string | undefined {
  if (body.kind !== 'read' || body.json === undefined) return undefined
  const { json } = body
  const raw = ['messages', 'prompt', 'input'].map((name) => json.raw(name)).find((value) => value !== undefined)
  if (raw === undefined || raw.byteLength > MAX_COMPARED_BYTES) return undefined
  // A gateway may write the members of a message in another order, and characters by their numbers.
  const texts = raw.toString('utf8').match(/"(?:[^"\\]|\\.)*"/g) ?? []
  return texts
    .map((text) => JSON.parse(text) as string)
    .sort()
    .join('\0')
}
