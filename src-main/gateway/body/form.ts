import { Readable } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { Busboy } from '@fastify/busboy'
import { AppError } from '#shared/errors.js'

/** One part of a form: a field, or a file where it has a file name. */
interface FormPart {
  name: string
  value: string | { bytes: Buffer; fileName: string; type: string }
}

/** Multipart form data, as audio and image requests carry it. */
export interface Form {
  /** Its only field of that name; missing where there is none, or an empty one, or one longer than any model's name. */
  model?: string
  /** Without the bytes of files unless they were asked for. */
  parts: readonly FormPart[]
}

/** Longer than any model's name. */
const MAX_MODEL_LENGTH = 1024
const MAX_PARTS = 256
/** A field is decoded in one go, for which all others wait. What is longer is a file. */
const MAX_FIELD_BYTES = 8 * 1024 * 1024

/**
 * Reads form data. One that names its model twice is refused: servers do not agree on which of the two counts.
 * @throws AppError `invalid_request` where it is malformed, ambiguous, of more than 256 parts, or has a field of more than
 * 8 MiB
 */
export async function readForm(bytes: Buffer, contentType: string, keepFiles = false): Promise<Form> {
  const parts = await readParts(bytes, contentType, keepFiles)
  const models = parts.filter(({ name }) => name === 'model')
  const [first] = models
  if (models.length > 1 || (first !== undefined && typeof first.value !== 'string')) {
    throw new AppError('invalid_request', 'The form has more than one "model". Send exactly one, as a text field.', {
      param: 'model',
    })
  }
  const model = first?.value
  return typeof model === 'string' && model !== '' && model.length <= MAX_MODEL_LENGTH ? { model, parts } : { parts }
}

const PIECE_BYTES = 256 * 1024

async function* piecesOf(bytes: Buffer): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
    if (at > 0) await setImmediate()
    yield bytes.subarray(at, at + PIECE_BYTES)
  }
}

async function readParts(bytes: Buffer, contentType: string, keepFiles: boolean): Promise<FormPart[]> {
  try {
    return await new Promise<FormPart[]>((resolve, reject) => {
      // A name is never longer than the body, of which the size is bounded; a field that would be cut is refused.
      const parser = new Busboy({
        headers: { 'content-type': contentType },
        limits: { fieldSize: MAX_FIELD_BYTES, fieldNameSize: bytes.byteLength + 1, parts: MAX_PARTS },
      })
      const parts: FormPart[] = []
      parser.on('field', (name, value, _isNameCut, isCut) => {
        if (isCut) reject(new Error('it has too long a field'))
        else parts.push({ name, value })
      })
      parser.on('file', (name, stream, fileName, _encoding, type) => {
        const chunks: Buffer[] = []
        const value = { bytes: Buffer.alloc(0), fileName, type }
        parts.push({ name, value })
        stream.on('data', (chunk: Buffer) => {
          if (keepFiles) chunks.push(chunk)
        })
        stream.on('end', () => (value.bytes = Buffer.concat(chunks)))
      })
      // What stands behind would be unseen here and read by the server.
      parser.on('partsLimit', () => reject(new Error('it has too many parts')))
      parser.on('error', reject)
      parser.on('finish', () => resolve(parts))
      // Piece by piece: the parser works through what it is given in one go, and others wait meanwhile.
      Readable.from(piecesOf(bytes)).pipe(parser)
    })
  } catch (error) {
    throw new AppError(
      'invalid_request',
      `The multipart body can not be read: its form data is malformed, of more than ${MAX_PARTS} parts, or has a field of more ` +
        'than 8 MiB. Send that as a file.',
      { cause: error },
    )
  }
}

/** The form written anew: what another reader might find in the original besides these parts is gone. */
export async function writeForm({ parts }: Form): Promise<{ bytes: Buffer; contentType: string }> {
  const data = new FormData()
  for (const { name, value } of parts) {
    if (typeof value === 'string') data.append(name, value)
    else data.append(name, new Blob([new Uint8Array(value.bytes)], { type: value.type }), value.fileName)
  }
  const written = new Response(data)
  const contentType = written.headers.get('content-type') ?? ''
  return { bytes: Buffer.from(await written.arrayBuffer()), contentType }
}

const LINE_END = '\r\n'
const HEAD_END = '\r\n\r\n'

/**
 * Form data with the value of its field `model` replaced where that is `from`; every other byte stays. Forms are of
 * tens of megabytes, so nothing is decoded but the heads of the parts. Untouched where there is no such field.
 */
export function withFormModel(bytes: Buffer, { from, to }: { from: string; to: string }): Buffer {
  const firstLine = bytes.indexOf(LINE_END)
  if (firstLine < 3 || bytes.toString('latin1', 0, 2) !== '--') return bytes
  // No part may hold it: that is what makes it the boundary.
  const boundary = Buffer.concat([Buffer.from(LINE_END), bytes.subarray(0, firstLine)])
  let at = firstLine
  for (;;) {
    const headEnd = bytes.indexOf(HEAD_END, at)
    const valueStart = headEnd + HEAD_END.length
    const end = headEnd === -1 ? -1 : bytes.indexOf(boundary, valueStart)
    if (end === -1) return bytes
    const isModel = isModelField(bytes.toString('latin1', at, headEnd))
    if (isModel && bytes.toString('utf8', valueStart, end) === from) {
      return Buffer.concat([bytes.subarray(0, valueStart), Buffer.from(to), bytes.subarray(end)])
    }
    at = end + boundary.length
  }
}

const isModelField = (head: string): boolean =>
  /^content-disposition:[ \t]*form-data\b.*;[ \t]*name=(?:"model"|model)[ \t]*(?:;|$)/im.test(head)
