import type { IncomingHttpHeaders } from 'node:http'
import { AppError } from '#shared/errors.js'
import type { ModelFacts } from '#shared/model-facts.js'
import { type StallWatch, watchForStall } from '../../base/stall-watch.js'
import type { Settings } from '../../config/index.js'
import { continuedWay, type ServiceRegistry } from '../../services/index.js'
import { modelOf, type RequestBody } from '../body/request-body.js'
import { framingOf } from '../body/stream-events.js'
import type { Exchange } from '../forward/exchange.js'
import type { Failover } from '../forward/failover.js'
import { cutError } from '../forward/failures.js'
import type { Contest } from '../forward/race.js'
import type { AttemptPlan, ServiceRequest, Targets } from '../forward/targets.js'
import type { AttemptOutcome } from '../forward/websocket.js'
import type { Provider } from '../routing/choose-providers.js'
import type { AnswerForm } from './answer-form.js'
import { CONTINUES_HEADER, type ContinuingServers } from './at-provider.js'
import { ContinuedReply } from './continued-reply.js'
import { eventText } from './events.js'
import { formOf } from './forms.js'
import type { LeavingProviders } from './leaving.js'
import { AnswerSoFar, type Said } from './said.js'
import { Splicer } from './splicer.js'

/** Times that one answer moves on: who takes three providers with it will not get on with a fourth. */
const MOST_TIMES = 3

/** An answer that broke off behind its head. */
type Cut = AttemptOutcome & { kind: 'cut' }

/** An attempt that goes on with an answer. */
export interface ContinuedPart {
  contest: Contest & { patienceMs: number | undefined }
  sink: ContinuedReply
  takes: (status: number, headers: IncomingHttpHeaders) => boolean
  onCut: () => boolean
  onLeaving: ((leave: () => void) => () => void) | undefined
}

/** What answers are continued with. */
export interface ContinuationNeeds {
  /** This node's peer id. */
  peerId: string
  targets: Targets
  servers: ContinuingServers
  leaving: LeavingProviders
  registry: Pick<ServiceRegistry, 'get'>
  /** What a peer, or this node, tells of a model. */
  facts(model: string, peerId: string): ModelFacts | undefined
  settings: Readonly<Pick<Settings, 'use.continue'>>
  /** How long (ms) a provider may keep the client waiting; undefined for as long as it likes. */
  patienceMs(exchange: Exchange, plan: AttemptPlan): number | undefined
}

/** Who of a request's providers may go on, and how they are asked. */
interface ContinuationTurn {
  failover: Failover
  run(plan: AttemptPlan, part: ContinuedPart): Promise<AttemptOutcome>
  /** It is over: whole, or with this error. */
  finished(error: AppError | undefined): void
}

/**
 * Goes on with one streamed answer at another provider of the same model, when the one that began it is gone. The client
 * sees a pause, and one answer. Undefined for a request whose answer is no such stream.
 */
export function continuationOf(
  needs: ContinuationNeeds,
  exchange: Exchange,
  request: ServiceRequest,
): Continuation | undefined {
  const { body, listener } = exchange
  if (needs.settings['use.continue'] === 'off' || listener !== 'local' || request.service !== 'llm') return undefined
  const form = formOf(request.path)
  if (form === undefined || body.kind !== 'read' || body.json === undefined) return undefined
  const stream = body.json.scalar('stream')
  // Ollama's answers are streamed unless asked otherwise.
  if (form.framing === 'sse' ? stream !== true : stream === false) return undefined
  return new Continuation(needs, { exchange, request, form, body, json: body.json })
}

type ReadBody = RequestBody & { kind: 'read' }

interface Asked {
  exchange: Exchange
  request: ServiceRequest
  form: AnswerForm
  body: ReadBody
  json: NonNullable<ReadBody['json']>
}

/** One answer that may have to be continued. */
export class Continuation {
  readonly #needs: ContinuationNeeds
  readonly #asked: Asked
  readonly #soFar: AnswerSoFar

  constructor(needs: ContinuationNeeds, asked: Asked) {
    this.#needs = needs
    this.#asked = asked
    this.#soFar = new AnswerSoFar(asked.form)
    asked.exchange.reply.keepEvents(this.#soFar)
  }

  /** The answer that `origin` gave has broken off: whether somebody is there to go on, or nothing but its end is missing. */
  onCut(origin: Provider, failover: Failover): boolean {
    const said = this.#soFar.said()
    return (this.#isWhole(said) || this.#couldMove(origin, failover)) && this.#asked.exchange.reply.goOn()
  }

  /** Whether anybody is there to go on with what `origin` says, before it is cut. */
  #couldMove(origin: Provider, failover: Failover): boolean {
    const said = this.#soFar.said()
    const { form, json } = this.#asked
    if (said.isOver || said.obstacle !== undefined) return false
    if (said.text !== '' && form.obstacle(json) !== undefined) return false
    return failover.hasAnother((other) => this.#fits(other, origin, said))
  }

  /** For the attempt at that provider: to move on ahead of the cut where it is about to stop. */
  onLeaving(provider: Provider, failover: Failover): ContinuedPart['onLeaving'] {
    if (provider.kind === 'self') return undefined
    return (leave) =>
      this.#needs.leaving.watch(provider.peerId, () => {
        if (this.#couldMove(provider, failover)) leave()
      })
  }

  /** Goes on where `lost` left off, at one provider after the other. `from` is where that came from. */
  async goOn(from: Provider, lost: Cut, turn: ContinuationTurn): Promise<void> {
    const { exchange } = this.#asked
    let last = lost
    let origin = from
    for (let times = 0; times < MOST_TIMES;) {
      const said = this.#soFar.said()
      if (this.#hasEnded(said)) {
        turn.finished(undefined)
        return
      }
      const provider = turn.failover.next((other) => this.#fits(other, origin, said))
      if (provider === undefined) break
      const plan = await this.#plan(provider, said)
      if (plan === undefined) continue
      const result = await turn.run(plan, this.#part(plan, this.#comment(provider, origin), turn.failover))
      if (result.kind === 'relayed' || result.kind === 'client-gone') return
      if (result.kind === 'cut') {
        if (!result.goesOn) return
        times += 1
        last = result
        origin = provider
      } else if (result.kind !== 'overtaken') turn.failover.failed(exchange, plan, result)
    }
    const error = cutError(last)
    exchange.reply.breakOff(error)
    turn.finished(error)
  }

  /** It has said why it ended, or all that it may say. */
  #isWhole(said: Readonly<Said>): boolean {
    const { form, json } = this.#asked
    const most = form.mostTokens(json)
    return said.isOver || (most !== undefined && said.tokens >= most && said.obstacle === undefined)
  }

  /** Ends an answer of which nothing but its end is missing. */
  #hasEnded(said: Readonly<Said>): boolean {
    const { exchange, form } = this.#asked
    if (!this.#isWhole(said)) return false
    const end = form.ending(said).map((event) => eventText(event, form.framing))
    if (end.length > 0) exchange.reply.write(Buffer.from(end.join('')))
    exchange.reply.end()
    return true
  }

  /** Whether that provider has the same model, and goes on with what was said: many would begin anew. */
  #fits(provider: Provider, origin: Provider, said: Readonly<Said>): boolean {
    const model = modelOf(this.#asked.body) ?? ''
    if (this.#needs.settings['use.continue'] === 'same-digest' && this.#digests(provider, origin) === 'different')
      return false
    if (said.text === '') return true
    if (provider.kind === 'peer') return this.#needs.facts(model, provider.peerId)?.continues === true
    const service = this.#needs.registry.get(provider.serviceId)
    return service !== undefined && continuedWay(service, model, this.#asked.form.name) !== undefined
  }

  #digests(one: Provider, other: Provider): 'same' | 'unknown' | 'different' {
    const [a, b] = [this.#digest(one), this.#digest(other)]
    if (a === undefined || b === undefined) return 'unknown'
    return a.startsWith(b) || b.startsWith(a) ? 'same' : 'different'
  }

  #digest(provider: Provider): string | undefined {
    const peerId = provider.kind === 'peer' ? provider.peerId : this.#needs.peerId
    return this.#needs.facts(modelOf(this.#asked.body) ?? '', peerId)?.digest?.replace(/^sha256:/, '')
  }

  #comment(provider: Provider, origin: Provider): string {
    if (this.#asked.form.framing !== 'sse') return ''
    const peerId = provider.kind === 'peer' ? provider.peerId : this.#needs.peerId
    return `: ocf-continued peer=${peerId} digest=${this.#digests(provider, origin)}\n\n`
  }

  async #plan(provider: Provider, said: Readonly<Said>): Promise<AttemptPlan | undefined> {
    const { exchange, request, form, body, json } = this.#asked
    if (said.text === '') return this.#needs.targets.ofProvider(exchange, request, provider)
    const continued = json.with(form.changes(json, said))
    const begun: RequestBody = { ...body, json: continued, bytes: continued.bytes }
    if (provider.kind === 'peer') {
      const plan = this.#needs.targets.ofProvider({ ...exchange, body: begun }, request, provider)
      if (plan !== undefined) plan.target.headers[CONTINUES_HEADER] = '1'
      return plan
    }
    const service = this.#needs.registry.get(provider.serviceId)
    if (service === undefined) return undefined
    const prepared = await this.#needs.servers.prepare([service], begun, request.path).catch((error: unknown) => {
      if (!(error instanceof AppError)) throw error
      return undefined
    })
    return prepared && this.#needs.targets.ofProvider({ ...exchange, body: prepared.body }, request, provider)
  }

  #part(plan: AttemptPlan, comment: string, failover: Failover): ContinuedPart {
    const { exchange, form } = this.#asked
    const contest = new Alone(this.#needs.patienceMs(exchange, plan))
    const splicer = new Splicer(form, this.#soFar.said())
    return {
      contest,
      sink: new ContinuedReply(exchange.reply, splicer, comment, (error) => contest.leave(error.message)),
      takes: (status, headers) => status === 200 && framingOf(headers) === form.framing,
      onCut: () => this.onCut(plan.provider, failover),
      onLeaving: this.onLeaving(plan.provider, failover),
    }
  }
}

/** An attempt that no other one is at work beside: it is left when it keeps the client waiting for too long. */
class Alone implements Contest {
  readonly patienceMs: number | undefined
  #attempt: { leave(why?: string): void } | undefined
  #watch: StallWatch | undefined

  constructor(patienceMs: number | undefined) {
    this.patienceMs = patienceMs
  }

  enter(attempt: { leave(why?: string): void }): void {
    this.#attempt = attempt
    if (this.patienceMs !== undefined) this.#watch = watchForStall(() => this.leave('it was silent'), this.patienceMs)
  }

  leave(why: string): void {
    this.#watch?.stop()
    this.#attempt?.leave(why)
  }

  /** Nothing of it is told before it says something. */
  mayPass(): boolean {
    return false
  }

  wins(): boolean {
    this.#watch?.stop()
    return true
  }
}
