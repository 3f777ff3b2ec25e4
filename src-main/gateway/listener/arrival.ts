import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { HandshakeResponse } from '../../p2p/http/upgrades.js'
import type { Door } from './door.js'

/** A request as it came in at a door, with where its answer goes. */
export class Arrival {
  readonly door: Door
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** The client's own id where it sent one that is harmless to repeat. */
  readonly requestId: string

  constructor(door: Door, request: IncomingMessage, response: ServerResponse) {
    this.door = door
    this.request = request
    this.response = response
    this.requestId = requestIdOf(request.headers['x-request-id'])
  }

  /** The raw request target: path and query as they were sent. */
  get url(): string {
    return this.request.url ?? ''
  }

  get method(): string {
    return this.request.method ?? 'GET'
  }

  /** True when the client asks for a WebSocket. */
  get isHandshake(): boolean {
    return this.response instanceof HandshakeResponse
  }
}

/** Random once a start and counted on: unique, and far cheaper than new randomness for each request. */
const ID_PREFIX = randomBytes(6).toString('base64url')
let requestsSeen = 0

function requestIdOf(header: string | string[] | undefined): string {
  if (typeof header === 'string' && /^[\w.:-]{1,64}$/.test(header)) return header
  requestsSeen += 1
  return `${ID_PREFIX}${requestsSeen.toString(36)}`
}
