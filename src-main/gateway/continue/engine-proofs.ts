import { BoundedMap } from '../../base/bounded-map.js'
import type { AnswerHandler, HttpExchange } from '../../http-client/index.js'
import { authorityOf, type LocalService, type ServiceRegistry } from '../../services/index.js'
import type { LocalClients } from '../forward/local-clients.js'
import { objectIn, textIn } from './events.js'

/** What proves that a server goes on with a last message of the assistant. Neither question makes a model work. */
export type Proof = 'apply-template' | 'ollama-template'

const QUESTIONS = {
  'apply-template': {
    path: '/apply-template',
    ask: () => ({
      messages: [
        { role: 'user', content: 'a' },
        { role: 'assistant', content: 'ocf' },
      ],
    }),
    proves: (answer: Record<string, unknown>) => textIn(answer['prompt']).endsWith('ocf'),
  },
  'ollama-template': {
    path: '/api/show',
    ask: (model: string) => ({ model }),
    // A template for messages says which one is the last, and leaves it open; one without messages ends with the answer.
    proves: ({ template }: Record<string, unknown>) =>
      textIn(template).includes('.Messages')
        ? textIn(template).includes('$last')
        : textIn(template).includes('.Prompt'),
  },
} as const satisfies Record<Proof, unknown>

/** A server may be replaced by another at the same port. */
const KEPT_MS = 60_000
const MOST_KEPT = 256
const ANSWER_MS = 2_000
const ANSWER_BYTES = 256 * 1024

/** Asks servers once in a while whether they go on with answers. */
export class EngineProofs {
  readonly #needs: { localClients: LocalClients; registry: Pick<ServiceRegistry, 'apiKey'> }
  readonly #kept = new BoundedMap<string, { holds: boolean; untilMs: number }>(MOST_KEPT)

  constructor(needs: { localClients: LocalClients; registry: Pick<ServiceRegistry, 'apiKey'> }) {
    this.#needs = needs
  }

  /** `model`: as this node publishes it. Never rejects: what does not answer proves nothing. */
  async holds(proof: Proof, service: LocalService, model: string): Promise<boolean> {
    const key = JSON.stringify([proof, service.id, model])
    const known = this.#kept.get(key)
    if (known !== undefined && known.untilMs > performance.now()) return known.holds
    const { path, ask, proves } = QUESTIONS[proof]
    const answer = await this.#ask(service, path, ask(service.serverModelIds.get(model) ?? model))
    const holds = answer !== undefined && proves(answer)
    this.#kept.set(key, { holds, untilMs: performance.now() + KEPT_MS })
    return holds
  }

  #ask(service: LocalService, path: string, question: object): Promise<Record<string, unknown> | undefined> {
    const { localClients, registry } = this.#needs
    const key = registry.apiKey(service.id)
    const headers = {
      host: authorityOf(service),
      'content-type': 'application/json',
      accept: 'application/json',
      ...(key === undefined ? {} : { authorization: `Bearer ${key}` }),
    }
    const body = Buffer.from(JSON.stringify(question))
    return new Promise((resolve) => {
      localClients
        .to(service)
        .send({ method: 'POST', path, headers, body, idleTimeoutMs: ANSWER_MS }, new Answer(resolve))
    })
  }
}

/** The small JSON object that a server answers with. */
class Answer implements AnswerHandler {
  readonly #resolve: (answer: Record<string, unknown> | undefined) => void
  readonly #pieces: Buffer[] = []
  #exchange: HttpExchange | undefined
  #bytes = 0
  #isGood = false

  constructor(resolve: (answer: Record<string, unknown> | undefined) => void) {
    this.#resolve = resolve
  }

  onStart(exchange: HttpExchange): void {
    this.#exchange = exchange
  }

  onUpgrade(): void {
    this.#resolve(undefined)
  }

  onHead(status: number): void {
    this.#isGood = status === 200
  }

  onData(piece: Buffer): void {
    this.#bytes += piece.byteLength
    if (this.#bytes <= ANSWER_BYTES) this.#pieces.push(piece)
    else this.#exchange?.abort(new Error('the answer is too long'))
  }

  onEnd(): void {
    this.#resolve(this.#isGood ? read(Buffer.concat(this.#pieces)) : undefined)
  }

  onError(): void {
    this.#resolve(undefined)
  }
}

function read(bytes: Buffer): Record<string, unknown> | undefined {
  try {
    return objectIn(JSON.parse(bytes.toString('utf8')))
  } catch {
    // No JSON proves nothing.
    return undefined
  }
}
