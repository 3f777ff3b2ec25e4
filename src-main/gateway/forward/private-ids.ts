import type { Dispatcher } from 'undici'
import { publicIdOf, type LocalService } from '../../services/index.js'

/** A server's own id and the name the network knows instead. */
interface PrivateId {
  secret: Buffer
  shown: Buffer
}

/** The ids of a service that are paths on the owner's disk, as they stand in JSON. Longest first. */
export function privateIdsOf(service: Pick<LocalService, 'serverModelIds'>): PrivateId[] {
  const ids = new Set([...service.serverModelIds.values()].filter((id) => publicIdOf(id) !== id))
  return [...ids]
    .map((id) => ({ secret: inJson(id), shown: inJson(publicIdOf(id)) }))
    .sort((a, b) => b.secret.length - a.secret.length)
}

const inJson = (text: string): Buffer => Buffer.from(JSON.stringify(text).slice(1, -1))

/**
 * The same server with answers in which those ids do not stand: many servers write the path of the model's file beside
 * each piece of an answer, and it may hold the owner's name.
 */
export function hidingIds(dispatcher: Dispatcher, ids: readonly PrivateId[]): Dispatcher {
  if (ids.length === 0) return dispatcher
  return dispatcher.compose((dispatch) => (options, handler) => {
    // Compressed, an answer could not be read here.
    const headers = { ...(options.headers as Record<string, string | string[]>), 'accept-encoding': 'identity' }
    return dispatch({ ...options, headers }, withoutIds(handler, ids))
  })
}

function withoutIds(handler: Dispatcher.DispatchHandler, ids: readonly PrivateId[]): Dispatcher.DispatchHandler {
  let scrub: Scrubber | undefined
  return {
    onRequestStart: (controller, context) => handler.onRequestStart?.(controller, context),
    onRequestUpgrade: (controller, status, headers, socket) =>
      handler.onRequestUpgrade?.(controller, status, headers, socket),
    onResponseStart(controller, status, headers, message) {
      if (status >= 200) scrub = new Scrubber(ids)
      const { 'content-length': _length, ...rest } = headers
      handler.onResponseStart?.(controller, status, status >= 200 ? rest : headers, message)
    },
    onResponseData(controller, chunk) {
      const ready = scrub === undefined ? chunk : scrub.push(chunk)
      if (ready.length > 0) handler.onResponseData?.(controller, ready)
    },
    onResponseEnd(controller, trailers) {
      const rest = scrub?.rest()
      if (rest !== undefined && rest.length > 0) handler.onResponseData?.(controller, rest)
      handler.onResponseEnd?.(controller, trailers)
    },
    onResponseError: (controller, error) => handler.onResponseError?.(controller, error),
  }
}

/** Replaces ids in a stream of bytes; of each piece only what may be the beginning of one is held back. */
export class Scrubber {
  readonly #ids: readonly PrivateId[]
  #held: Buffer = Buffer.alloc(0)

  constructor(ids: readonly PrivateId[]) {
    this.#ids = ids
  }

  push(chunk: Buffer): Buffer {
    let data = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk])
    for (const { secret, shown } of this.#ids) data = replaceAll(data, secret, shown)
    const held = Math.max(...this.#ids.map(({ secret }) => beginningAtEnd(data, secret)))
    this.#held = data.subarray(data.length - held)
    return data.subarray(0, data.length - held)
  }

  rest(): Buffer {
    return this.#held
  }
}

function replaceAll(data: Buffer, secret: Buffer, shown: Buffer): Buffer {
  let at = data.indexOf(secret)
  if (at === -1) return data
  const parts: Buffer[] = []
  let from = 0
  while (at !== -1) {
    parts.push(data.subarray(from, at), shown)
    from = at + secret.length
    at = data.indexOf(secret, from)
  }
  parts.push(data.subarray(from))
  return Buffer.concat(parts)
}

/** How many bytes at the end of `data` begin `secret`. */
function beginningAtEnd(data: Buffer, secret: Buffer): number {
  for (let length = Math.min(secret.length - 1, data.length); length > 0; length -= 1) {
    if (data.subarray(data.length - length).equals(secret.subarray(0, length))) return length
  }
  return 0
}
