import type { IncomingMessage } from 'node:http'
import type { LocalService } from '../../services/index.js'
import type { Arrival } from '../listener/arrival.js'
import type { Exchange } from './exchange.js'
import { ClientGoneError, hasBody, type RequestBody } from '../body/request-body.js'
import { modelOf, serviceForModel } from '../routing/service-for-model.js'
import type { GatewayNeeds, GatewayOptions } from '../needs.js'
import { checkConsent, checkSocketConsent, readSharedBody, withTokenLimit } from '../body/shared-body.js'

/** A peer's request to a service of this node, its path already known to be shared. */
interface SharedRequest {
  name: string
  /** Path at the server. */
  path: string
  query: string
  services: readonly LocalService[]
}

/** Serves peers within the owner's limits. */
export interface SharedUse {
  /** Who asks, proven by the secure channel. */
  peerOf(arrival: Arrival): string
  /** Waits for a place, forwards, and gives the place back exactly when the answer ended or broke off. */
  serve(arrival: Arrival, exchange: Exchange, request: SharedRequest): Promise<void>
}

export function createSharedUse(needs: GatewayNeeds, options: GatewayOptions): SharedUse {
  const { admission, forwarder } = needs

  const peerOf = ({ request }: Arrival): string => request.socket.remoteAddress ?? ''

  async function readBody(request: IncomingMessage, { name, path, services }: SharedRequest): Promise<RequestBody> {
    // Another service's body may be as large as it likes: it streams through and is never kept here.
    if (name !== 'llm') return hasBody(request) ? { kind: 'stream', stream: request } : { kind: 'none' }
    const { maxBodyBytes, maxTokens } = admission.limits
    const strict = maxTokens > 0 || services.some(({ onlyTicked }) => onlyTicked === true)
    return await readSharedBody(request, {
      ...{ path, strict },
      maxBytes: options.maxBodyBytes,
      maxUploadBytes: maxBodyBytes,
    })
  }

  return {
    peerOf,
    async serve(arrival, exchange, request) {
      const ticket = admission.enter(peerOf(arrival))
      const leave = (): void => ticket.end()
      exchange.reply.onGone(leave)
      ticket.onCut((reason) => {
        exchange.traffic.finish({ error: reason.code, cancelledBy: 'node' })
        exchange.reply.breakOff(reason)
      })
      try {
        const body = await readBody(arrival.request, request)
        exchange.body = body
        const service = serviceForModel(request.services, body)
        if (exchange.reply.isHandshake) checkSocketConsent(service, admission.limits)
        checkConsent(service, body, request.query)
        const model = modelOf(body)
        if (model !== undefined) exchange.traffic.update({ model })
        exchange.body = withTokenLimit(body, request.path, admission.limits.maxTokens)
        if ((await ticket.turn()) === 'left') throw new ClientGoneError()
        await forwarder.toLocalService(exchange, service, `${request.path}${request.query}`)
      } finally {
        exchange.reply.offGone(leave)
        ticket.end()
      }
    },
  }
}
