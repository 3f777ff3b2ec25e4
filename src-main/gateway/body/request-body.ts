import type { IncomingMessage } from 'node:http'
import type { JsonObjectBytes } from '../../base/json/object.js'
import type { HeldBody } from './body-memory.js'
import { type Form, readForm, withFormModel } from './form.js'
import { readBody, type ReadRules } from './read-body.js'

/**
 * A request body as routing needs it: read (so that it can be sent again to the next provider) where the model is in
 * it, streamed otherwise.
 */
export type RequestBody =
  | {
      kind: 'none'
      /** The `model` of the query, which is where a request without a body can name one. */
      model?: string
    }
  | {
      kind: 'read'
      bytes: Buffer
      json?: JsonObjectBytes
      form?: Form
      /** What it is, where that is not what its sender said. */
      contentType?: string
      /** It came compressed and goes on as it is here. */
      unpacked?: boolean
    }
  | {
      kind: 'stream'
      stream: IncomingMessage
      /** Where it is broken off; no bound without it. */
      maxBytes?: number
    }

/** True when the request says it carries a body (RFC 9112 §6.3). */
export function hasBody(request: IncomingMessage): boolean {
  const length = request.headers['content-length']
  return request.headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
}

/** What a request without a body says. */
export function withoutBody(request: IncomingMessage): RequestBody {
  const url = request.url ?? ''
  const at = url.indexOf('?')
  const model = at === -1 ? null : new URLSearchParams(url.slice(at + 1)).get('model')
  return model === null || model === '' ? { kind: 'none' } : { kind: 'none', model }
}

/** The model a request names in its JSON, form or query; undefined where it names none. */
export function modelOf(body: RequestBody): string | undefined {
  if (body.kind === 'none') return body.model
  if (body.kind !== 'read') return undefined
  return body.json?.text('model') ?? body.form?.model
}

/** The same request for another model, every other byte as it was sent; one without a body stays as it is. */
export function withModel(body: RequestBody, model: string): RequestBody {
  if (body.kind !== 'read') return body
  if (body.json !== undefined) {
    const json = body.json.with(new Map([['model', JSON.stringify(model)]]))
    return { ...body, json, bytes: json.bytes }
  }
  const from = body.form?.model
  if (body.form === undefined || from === undefined) return body
  return { ...body, form: { ...body.form, model }, bytes: withFormModel(body.bytes, { from, to: model }) }
}

type BodyType = 'json' | 'multipart' | 'maybe-json' | 'other'

function bodyType(contentType: string | undefined): BodyType {
  if (contentType === undefined) return 'maybe-json'
  const type = (contentType.split(';', 1)[0] ?? '').trim().toLowerCase()
  if (type === 'application/json' || type.endsWith('+json')) return 'json'
  if (type === 'multipart/form-data') return 'multipart'
  // What curl -d says unless it is given a type.
  if (type === 'application/x-www-form-urlencoded' || type === 'text/plain') return 'maybe-json'
  return 'other'
}

/** Bodies that need not be read for routing are still kept for another attempt while they are small. */
const REPLAY_BYTES = 1024 * 1024

/** Bounds a body that is read for routing. */
const SETTING = 'gateway.max-body'

/**
 * The body of a request to be routed. With `identityKnown` (a header gave the match) only what is small is read, and is
 * left as it came. The files of a form are kept apart only with `keepFiles`.
 * @throws AppError `invalid_request` (two models), and what {@link readBody} throws
 */
export async function readRoutingBody(
  request: IncomingMessage,
  options: { maxBytes: number; identityKnown: boolean; keepFiles?: boolean; memory?: HeldBody | undefined },
): Promise<RequestBody> {
  if (!hasBody(request)) return withoutBody(request)
  const contentType = request.headers['content-type']
  const type = bodyType(contentType)
  if (type === 'other') return { kind: 'stream', stream: request }
  const rules: ReadRules = { maxBytes: options.maxBytes, setting: SETTING, memory: options.memory }
  if (options.identityKnown) {
    const declared = Number(request.headers['content-length'] ?? Number.POSITIVE_INFINITY)
    if (declared > Math.min(REPLAY_BYTES, options.maxBytes)) return { kind: 'stream', stream: request }
    return { kind: 'read', bytes: (await readBody(request, { ...rules, maxBytes: REPLAY_BYTES, packed: true })).bytes }
  }
  if (type === 'multipart') {
    const { bytes, unpacked } = await readBody(request, rules)
    return { kind: 'read', bytes, unpacked, form: await readForm(bytes, contentType ?? '', options.keepFiles) }
  }
  return await readModelRequest(request, { ...rules, json: type === 'json' ? 'yes' : 'maybe' })
}

/**
 * A request to a model: a JSON object with one `model` at most; anything else only where `json` is `maybe`.
 * @throws AppError `invalid_request`, and what {@link readBody} throws
 */
export async function readModelRequest(request: IncomingMessage, rules: ReadRules): Promise<RequestBody> {
  const { bytes, unpacked, json } = await readBody(request, rules)
  if (json === undefined) return { kind: 'read', bytes, unpacked }
  json.assertOnce(['model'])
  return { kind: 'read', bytes, unpacked, json, ...(rules.json === 'maybe' ? { contentType: 'application/json' } : {}) }
}
