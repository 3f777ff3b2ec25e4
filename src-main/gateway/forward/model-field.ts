import { Busboy } from '@fastify/busboy'
import { AppError } from '#shared/errors.js'

/** Longer than any model's name. */
const MAX_FIELD_BYTES = 1024
const MAX_PARTS = 256

/**
 * The `model` field of multipart form data, as audio and image requests carry it; empty where there is none.
 * @throws AppError `invalid_request` when the form data is malformed
 */
export async function readModelField(bytes: Buffer, contentType: string): Promise<{ model?: string }> {
  try {
    return await new Promise((resolve, reject) => {
      const parser = new Busboy({
        headers: { 'content-type': contentType },
        limits: { fieldSize: MAX_FIELD_BYTES, parts: MAX_PARTS },
      })
      let model: string | undefined
      parser.on('field', (name, value, _nameTruncated, valueTruncated) => {
        if (name === 'model' && !valueTruncated) model ??= value
      })
      // Files are of no interest here, but their parts must be read past.
      parser.on('file', (_name, stream) => stream.resume())
      parser.on('error', reject)
      parser.on('finish', () => resolve(model === undefined ? {} : { model }))
      parser.end(bytes)
    })
  } catch (error) {
    throw new AppError('invalid_request', 'The multipart body can not be read: its form data is malformed.', {
      cause: error,
    })
  }
}
