import type { IncomingMessage } from 'node:http'
import { AppError } from '#shared/errors.js'
import { NOT_A_MEMBER, SwapRemoveSet, type SwapRemoveMember } from '../../base/memory/swap-remove-set.js'
import { isModelPath, isOpenTo, type LocalService, visibilityOf } from '../../services/index.js'
import {
  type ArrivingBody,
  type Asker,
  isGeneration,
  isOwnersMember,
  lowerTokens,
  withoutDoubles,
  withoutOwnersOptions,
} from '../../services/sharing/access/index.js'
import type { HeldBody } from '../body/body-memory.js'
import { writeForm } from '../body/form.js'
import { assertDeclaredLength, ClientGoneError, readBody } from '../body/read-body.js'
import {
  hasBody,
  modelOf,
  readModelRequest,
  readRoutingBody,
  type RequestBody,
  withoutBody,
} from '../body/request-body.js'
import type { Arrival } from '../listener/arrival.js'
import { classOf, type GatewayNeeds, type GatewayOptions } from '../needs.js'
import { checkConsent, checkSocketConsent, notShared } from './consent.js'
import type { Exchange } from './exchange.js'
import { servicesForModel } from './targets.js'

/** A peer's request to a service of this node, its path already known to be shared. */
export interface SharedRequest {
  name: string
  /** Path at the server. */
  path: string
  query: string
  services: readonly LocalService[]
  /** Of those that have the model, the ones that can answer. */
  narrow(services: readonly LocalService[], body: RequestBody): readonly LocalService[]
}

/** Serves peers within the owner's limits. */
export interface SharedUse {
  /** Who asks, for something that needs no slot. Throws as `Admission.check` does. */
  check(arrival: Arrival): void
  /** Waits for a slot, forwards, and releases the slot exactly when the answer ended or broke off. */
  serve(arrival: Arrival, exchange: Exchange, request: SharedRequest): Promise<void>
}

export function createSharedUse(needs: GatewayNeeds, options: GatewayOptions): SharedUse {
  const { admission, forwarder, registry, trust } = needs
  const consents = new Consents(needs)
  registry.subscribe(() => consents.review())
  trust.subscribe(() => consents.review())

  const askerOf = ({ request, source }: Arrival, usesModel: boolean): Asker => ({
    peerId: request.socket.remoteAddress ?? '',
    source,
    usesModel,
  })

  async function bodyOf({ request, memory }: Exchange, { name, path, services }: SharedRequest): Promise<RequestBody> {
    // Another service's body may be as large as it likes: it streams through and is never kept here.
    if (name !== 'llm') return hasBody(request) ? { kind: 'stream', stream: request } : { kind: 'none' }
    const { maxBodyBytes, maxTokens } = admission.limits
    const strict = isModelPath(path) || maxTokens > 0 || services.some(({ onlyTicked }) => onlyTicked === true)
    return await readSharedBody(request, {
      ...{ path, strict, memory },
      maxBytes: options.settings['gateway.max-body'],
      maxUploadBytes: maxBodyBytes,
    })
  }

  return {
    check: (arrival) => admission.check(askerOf(arrival, false)),
    async serve(arrival, exchange, request) {
      const slot = admission.enter(askerOf(arrival, request.name === 'llm'), new BodyOnItsWay(arrival))
      const leave = (): void => slot.release()
      exchange.reply.onGone(leave)
      slot.onCut((reason) => {
        exchange.traffic.finish({ error: reason.code, cancelledBy: 'node' })
        exchange.reply.breakOff(reason)
      })
      // Both ways: who loses the room in the queue need send no more, and whose body loses its memory waits no more.
      exchange.memory.onEvicted((error) => slot.refuse(error))
      slot.onRefused((error) => exchange.memory.evict(error))
      let withdraw: (() => void) | undefined
      let isServed = false
      try {
        const body = await bodyOf(exchange, request)
        exchange.body = body
        needs.loops.check(exchange)
        const services = request.narrow(servicesForModel(request.services, body), body)
        for (const service of services) {
          if (exchange.reply.isHandshake) checkSocketConsent(service, body, admission.limits)
          else checkConsent(service, body, request)
        }
        const model = modelOf(body)
        if (model !== undefined) exchange.traffic.update({ model })
        withdraw = consents.given({
          ...{ services, model, peerId: arrival.request.socket.remoteAddress },
          isSocket: exchange.reply.isHandshake,
          setIndex: NOT_A_MEMBER,
          end(error) {
            // Of these two, one is for who waits and does nothing to who runs.
            slot.refuse(error)
            if (!isServed) return
            exchange.traffic.finish({ error: error.code, cancelledBy: 'node' })
            exchange.reply.breakOff(error)
          },
        })
        exchange.body = withTokenLimit(body, request.path, admission.limits.maxTokens)
        if ((await slot.acquire()) === 'left') throw new ClientGoneError()
        isServed = true
        exchange.memory.keep()
        await forwarder.toOwnServices(exchange, services, `${request.path}${request.query}`)
      } finally {
        withdraw?.()
        exchange.reply.offGone(leave)
        slot.release()
      }
    },
  }
}

/** A request that its owner consented to, for as long as it waits or runs. */
interface Consented extends SwapRemoveMember {
  services: readonly LocalService[]
  model: string | undefined
  peerId: string | undefined
  /** Nobody reads what is asked in it. */
  isSocket: boolean
  /** It may not be served any longer. */
  end(error: AppError): void
}

/** Ends what is under way when its owner lets fewer use it, or no longer trusts who asked. */
class Consents {
  readonly #needs: Pick<GatewayNeeds, 'registry' | 'trust'>
  readonly #given = new SwapRemoveSet<Consented>()

  constructor(needs: Pick<GatewayNeeds, 'registry' | 'trust'>) {
    this.#needs = needs
  }

  /**
   * Watches over a request until the returned function is called.
   * @throws AppError `model_not_found` where that changed while its body came in
   */
  given(consented: Consented): () => void {
    if (!this.#isStillGiven(consented)) throw notShared(consented.model ?? '')
    this.#given.add(consented)
    return () => void this.#given.delete(consented)
  }

  review(): void {
    for (const consented of this.#given) {
      if (this.#isStillGiven(consented)) continue
      this.#given.delete(consented)
      consented.end(notShared(consented.model ?? ''))
    }
  }

  /** Of several servers that have the model any may be answering. What is gone altogether ends in its own way. */
  #isStillGiven({ services, model, peerId, isSocket }: Consented): boolean {
    const { registry } = this.#needs
    const peers = classOf(this.#needs, peerId)
    return services.every(({ id }) => {
      const now = registry.get(id)
      if (now === undefined) return true
      if (!isOpenTo(visibilityOf(now, model), peers)) return false
      const seen = registry.sharedWith(peers).find((service) => service.id === id)
      return seen?.onlyTicked !== true || (model !== undefined && !isSocket)
    })
  }
}

/** How a request's body arrives, read from its stream. */
class BodyOnItsWay implements ArrivingBody {
  readonly #request: IncomingMessage
  readonly #hasBody: boolean

  constructor({ request, isHandshake }: Arrival) {
    this.#request = request
    this.#hasBody = hasBody(request) && !isHandshake
  }

  get bytesCome(): number {
    return this.#request.socket.bytesRead
  }

  get isHere(): boolean {
    return !this.#hasBody || this.#request.complete
  }

  get isHeldUp(): boolean {
    return this.#request.readableLength > 0
  }
}

/** How a peer's body is read. */
interface SharedBodyRules {
  /** Path at the server, query not included. */
  path: string
  /** Bytes of JSON and forms, which are kept in memory. */
  maxBytes: number
  /** Bytes of any body; 0 lets what need not be read stream through without a bound. */
  maxUploadBytes: number
  /** What the body says decides whether it may pass: it must be understood, as JSON whatever its type claims. */
  strict: boolean
  memory: HeldBody
}

/** Multipart uploads; everything else that is shared of a model server takes JSON. */
const FORM_PATHS = /^\/v1\/(?:audio|images)\//

/**
 * The body of a peer's request to a model server, never more of it than the rules allow.
 * @throws AppError `invalid_json`, `invalid_request` (two models), `body_too_large`, `unsupported_media_type`;
 *   `ClientGoneError`
 */
async function readSharedBody(request: IncomingMessage, rules: SharedBodyRules): Promise<RequestBody> {
  if (!hasBody(request)) return withoutBody(request)
  const { memory } = rules
  const maxBytes = rules.maxUploadBytes === 0 ? rules.maxBytes : Math.min(rules.maxBytes, rules.maxUploadBytes)
  if (rules.strict && !FORM_PATHS.test(rules.path)) {
    return await writtenAnew(await readModelRequest(request, { maxBytes, memory, json: 'yes' }))
  }
  const body = await readRoutingBody(request, { maxBytes, identityKnown: false, keepFiles: true, memory })
  if (body.kind !== 'stream') return await writtenAnew(body)
  if (rules.strict) {
    throw new AppError('unsupported_media_type', 'A model is named in JSON or in a form. Send one of the two.')
  }
  if (rules.maxUploadBytes === 0) return body
  assertDeclaredLength(request, rules.maxUploadBytes)
  // A length that was declared is kept by the connection itself; without one, only reading tells.
  if (request.headers['content-length'] !== undefined) return body
  const { bytes } = await readBody(request, { maxBytes: rules.maxUploadBytes, memory, packed: true })
  return { kind: 'read', bytes }
}

/** Without what the server could understand otherwise than it was understood here, and what its owner alone may set. */
async function writtenAnew(body: RequestBody): Promise<RequestBody> {
  if (body.kind !== 'read') return body
  if (body.json !== undefined) {
    const json = withoutOwnersOptions(withoutDoubles(body.json))
    return { ...body, json, bytes: json.bytes, contentType: 'application/json' }
  }
  if (body.form === undefined) return body
  const form = { ...body.form, parts: body.form.parts.filter(({ name }) => !isOwnersMember(name)) }
  return { ...body, form, ...(await writeForm(form)) }
}

/** The same request with the owner's limit on tokens in it; what is within it stays byte for byte. */
function withTokenLimit(body: RequestBody, path: string, maxTokens: number): RequestBody {
  if (maxTokens === 0 || !isGeneration(path) || body.kind !== 'read' || body.json === undefined) return body
  const json = lowerTokens(path, body.json, maxTokens)
  return { ...body, json, bytes: json.bytes }
}
