import type { IncomingHttpHeaders } from 'node:http'
import { AppError } from '#shared/errors.js'
import { BoundedMap } from '../../base/bounded-map.js'
import type { MonotonicClock } from '../../base/clock.js'
import { type Bucket, type BucketRate, fullBucket, refilled } from '../../base/token-bucket.js'
import type { Settings } from '../../config/index.js'
import { sourceOfHost } from '../../p2p/index.js'
import { isLoopbackHost } from '../../services/index.js'
import type { ApiKeys } from '../../services/secrets/index.js'
import type { RouteMatch } from '../routes/route.js'
import type { Arrival } from './arrival.js'

/** Where clients carry a key: OpenAI's, Anthropic's and Azure's. Never the query, which ends up in logs. */
const KEY_HEADERS = ['authorization', 'x-api-key', 'api-key'] as const

/** A key of this gateway, valid or not, wherever it stands in a header. */
const OWN_KEY = /ocf_[A-Za-z0-9_-]{43}/
const BEARER = /^bearer +(\S+)$/i

/** Requests with a wrong key or none that one address gets a 401 for; beyond it 429 tells a stray client to slow down. */
const FAILURES: BucketRate = { capacity: 20, refillPerS: 20 / 60 }
/** Addresses that are remembered for it. */
const MAX_SOURCES = 4_096

/** Whether apps must show a key: always beyond loopback, unless the owner said `none` in so many words. */
export function asksForKey(settings: Readonly<Pick<Settings, 'api-key' | 'host'>>): boolean {
  return settings['api-key'] === 'auto' ? !isLoopbackHost(settings.host) : settings['api-key'] === 'required'
}

/** Who may use the local listener, by the key a request carries. */
export class ApiKeyCheck {
  readonly #keys: Pick<ApiKeys, 'find'>
  readonly #monotonic: MonotonicClock
  readonly #isRequired: () => boolean
  readonly #failures = new BoundedMap<string, Bucket>(MAX_SOURCES)

  /** `isRequired` is read for each request. */
  constructor(needs: { keys: Pick<ApiKeys, 'find'>; monotonic: MonotonicClock; isRequired: () => boolean }) {
    this.#keys = needs.keys
    this.#monotonic = needs.monotonic
    this.#isRequired = needs.isRequired
  }

  /**
   * Notes whose key a request carries and takes every key of this gateway off it, valid or not: from here on none can
   * reach a model server or a peer. Other values stay: clients send `sk-anything`, or their server's own key.
   */
  identify(arrival: Arrival): void {
    if (arrival.listener === 'peer') return
    const { headers } = arrival.request
    for (const name of KEY_HEADERS) {
      const value = headers[name]
      if (value === undefined || !OWN_KEY.test(String(value))) continue
      const key = presentedKey(headers, name)
      arrival.keyHolder ??= key === undefined ? undefined : this.#keys.find(key)
      // Assigned a moment ago by Node's parser: an own property.
      Reflect.deleteProperty(headers, name)
      arrival.carriedKey = true
    }
  }

  /** False for a request of someone this gateway knows nothing of, where it asks for a key. */
  knows(arrival: Arrival): boolean {
    return arrival.listener === 'peer' || arrival.keyHolder !== undefined || !this.#isRequired()
  }

  /**
   * Lets pass what may be answered. A request of this very machine needs a key as well: behind a reverse proxy here,
   * everything seems to come from 127.0.0.1.
   * @throws AppError `unauthorized`, or `rate_limited` after too many of those; a valid key always passes
   */
  assert(arrival: Arrival, found: RouteMatch): void {
    if (this.knows(arrival) || (found.kind === 'found' && found.route.keyless === true) || isPreflight(arrival)) return
    this.#countFailure(arrival.request.socket.remoteAddress)
    arrival.response.setHeader('WWW-Authenticate', 'Bearer')
    throw new AppError(
      'unauthorized',
      arrival.carriedKey
        ? 'This API key was revoked or was never made here. `ocf keys add NAME`, where the gateway runs, makes a new one.'
        : 'This gateway asks for an API key (Authorization: Bearer ocf_…). `ocf keys add NAME`, where the gateway runs, makes one.',
    )
  }

  #countFailure(remoteAddress: string | undefined): void {
    const source = sourceOfHost(remoteAddress ?? '')
    const nowMs = this.#monotonic.elapsedMs()
    const bucket = refilled(this.#failures.get(source) ?? fullBucket(FAILURES, nowMs), FAILURES, nowMs)
    const isOver = bucket.tokens < 1
    this.#failures.set(source, isOver ? bucket : { ...bucket, tokens: bucket.tokens - 1 })
    if (!isOver) return
    throw new AppError('rate_limited', 'Too many requests without a valid API key came from this address.', {
      retryAfterS: Math.ceil((1 - bucket.tokens) / FAILURES.refillPerS),
    })
  }
}

function presentedKey(headers: IncomingHttpHeaders, name: (typeof KEY_HEADERS)[number]): string | undefined {
  const value = headers[name]
  if (typeof value !== 'string') return undefined
  return name === 'authorization' ? BEARER.exec(value.trim())?.[1] : value.trim()
}

/** Browsers ask it without a key before they send one; nothing is done for it. */
function isPreflight({ method, request }: Arrival): boolean {
  return method === 'OPTIONS' && request.headers['access-control-request-method'] !== undefined
}
