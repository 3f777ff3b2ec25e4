import type { AnswerHandler, HttpClient } from '../../http-client/index.js'
import { type LocalService, publicIdOf } from '../../services/index.js'
import { withFormModel } from './form.js'
import { modelOf, type RequestBody } from './request-body.js'

/**
 * The body with the model's published name replaced by the one the server itself uses. The body comes back untouched,
 * byte for byte, where the two are the same; of a form nothing but the name changes.
 */
export function withServerModelId(body: RequestBody, service: LocalService): RequestBody {
  if (service.serverModelIds.size === 0 || body.kind !== 'read') return body
  const model = modelOf(body)
  if (model === undefined) return body
  const own = service.serverModelIds.get(model)
  if (own === undefined || own === model) return body
  if (body.json !== undefined) {
    const json = body.json.with(new Map([['model', JSON.stringify(own)]]))
    return { ...body, json, bytes: json.bytes }
  }
  return { ...body, bytes: withFormModel(body.bytes, { from: model, to: own }) }
}

/** The raw path and query with the model in the query replaced likewise; everything else stays as it was sent. */
export function withServerModelIdInQuery(target: string, body: RequestBody, service: LocalService): string {
  if (body.kind !== 'none' || body.model === undefined) return target
  const own = service.serverModelIds.get(body.model)
  if (own === undefined || own === body.model) return target
  return target.replace(/(?<=[?&]model=)[^&]*/, () => encodeURIComponent(own))
}

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
export function hidingIds(client: Pick<HttpClient, 'send'>, ids: readonly PrivateId[]): Pick<HttpClient, 'send'> {
  if (ids.length === 0) return client
  return {
    send(request, handler) {
      // Compressed, an answer could not be read here.
      const headers = { ...request.headers, 'accept-encoding': 'identity' }
      client.send({ ...request, headers }, withoutIds(handler, ids))
    },
  }
}

function withoutIds(handler: AnswerHandler, ids: readonly PrivateId[]): AnswerHandler {
  const scrub = new Scrubber(ids)
  return {
    onStart: (exchange) => handler.onStart(exchange),
    onUpgrade: (headers, socket) => handler.onUpgrade(headers, socket),
    onHead(status, { 'content-length': _length, ...rest }) {
      handler.onHead(status, rest)
    },
    onData(piece) {
      const ready = scrub.push(piece)
      if (ready.length > 0) handler.onData(ready)
    },
    onEnd() {
      const rest = scrub.rest()
      if (rest.length > 0) handler.onData(rest)
      handler.onEnd()
    },
    onError: (error) => handler.onError(error),
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
