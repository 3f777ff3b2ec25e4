import { randomUUID } from 'node:crypto'
import { STATUS_CODES } from 'node:http'
import { AppError, toWireError } from '#shared/errors.js'

const STATUS_OF: Readonly<Record<string, number>> = {
  HPE_HEADER_OVERFLOW: 431,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

/** The whole answer, as bytes for the socket, to something that is no HTTP request or an ambiguous one. */
export function malformedRequestAnswer(error: NodeJS.ErrnoException): string {
  const status = STATUS_OF[error.code ?? ''] ?? 400
  const sentence = `This is not a well-formed HTTP request (${STATUS_CODES[status] ?? 'Bad Request'}).`
  const body = JSON.stringify(toWireError(new AppError('invalid_request', sentence), randomUUID()))
  return [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: application/json; charset=utf-8',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
    '',
    body,
  ].join('\r\n')
}
