import type { Log } from '../../logging/index.js'
import type { ServiceRegistry } from '../../services/index.js'
import type { TrafficUpdate } from '../../telemetry/traffic.js'
import type { Provider } from '../routing/choose-providers.js'
import type { Exchange } from './exchange.js'
import type { Reachability } from '../routing/reachability.js'
import type { TryResult } from './relay-upgraded.js'

/** Tells how tries went: to the log, the traffic feed, and whoever judges providers. */
export interface TryRecord {
  /** This provider is answering now. */
  success(provider: Provider): void
  /** A try ended. */
  ended(exchange: Exchange, provider: Provider, result: TryResult): void
  /** The exchange is over. */
  finish(exchange: Exchange, fields: TrafficUpdate): void
}

export function createTryRecord(needs: {
  reachability: Pick<Reachability, 'reportSuccess' | 'reportFailure'>
  registry: Pick<ServiceRegistry, 'reportSuccess' | 'reportFailure'>
  log: Log
}): TryRecord {
  const { reachability, registry, log } = needs

  function success(provider: Provider): void {
    if (provider.kind === 'peer') reachability.reportSuccess(provider.peerId)
    else registry.reportSuccess(provider.serviceId)
  }

  function failure(provider: Provider, reason: string): void {
    if (provider.kind === 'peer') reachability.reportFailure(provider.peerId, reason)
    else registry.reportFailure(provider.serviceId)
  }

  function finish(exchange: Exchange, fields: TrafficUpdate): void {
    const tokens = exchange.reply.tokens()
    exchange.traffic.addBytes(bodyBytes(exchange), exchange.reply.bytes)
    exchange.traffic.finish({
      ...fields,
      ...(tokens === null ? {} : { tokens: tokens.count, tokensFrom: tokens.from, tokensIn: tokens.input }),
    })
  }

  return {
    success,
    finish,
    ended(exchange, provider, result) {
      const fields = {
        requestId: exchange.requestId,
        provider: provider.kind === 'peer' ? provider.peerId : provider.serviceId,
      }
      if (result.kind === 'relayed') {
        success(provider)
        const ttfbMs = Math.round(result.timing.ttfbMs)
        log.debug('a request was answered', { ...fields, status: result.status, ttfbMs })
        finish(exchange, { status: result.status })
      } else if (result.kind === 'cut') {
        if (!result.explained) failure(provider, result.reason)
        log.warn('an answer broke off', { ...fields, reason: result.reason })
        const error = result.explained ? 'no_provider' : 'upstream_failed'
        finish(exchange, { status: result.status, error, cancelledBy: 'provider' })
      } else if (result.kind === 'client-gone') {
        log.debug('the client went away', fields)
        finish(exchange, { cancelledBy: 'client' })
      } else if (result.kind === 'failed') {
        if (result.stage !== 'refused-here') failure(provider, result.reason)
        log.info('a try failed', { ...fields, reason: result.reason })
      } else log.info('a provider declined', { ...fields, status: result.status })
    },
  }
}

/** Size of the request's body; of a streamed one what the client declared. */
function bodyBytes({ body, request }: Exchange): number {
  if (body.kind === 'read') return body.bytes.byteLength
  return body.kind === 'stream' ? Number(request.headers['content-length'] ?? 0) : 0
}
