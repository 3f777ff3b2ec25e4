import type { ServerResponse } from 'node:http'
import { AppError, toWireError } from '#shared/errors.js'

/** Headers of every answer, whatever it is. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY',
  'Referrer-Policy': 'no-referrer',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
}

/** Ends a response with JSON that no cache keeps. */
export function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const bytes = Buffer.from(JSON.stringify(body))
  response.writeHead(status, {
    'Content-Type': 'application/json',
    'Content-Length': bytes.length,
    'Cache-Control': 'no-store',
  })
  response.end(bytes)
}

/** Ends a response with an error in the one wire shape; the connection is closed, for its body may be unread. */
export function sendError(response: ServerResponse, error: unknown, requestId: string): void {
  if (response.headersSent) {
    response.destroy()
    return
  }
  const known = error instanceof AppError ? error : undefined
  response.setHeader('Connection', 'close')
  if (known?.retryAfterS !== undefined) response.setHeader('Retry-After', String(known.retryAfterS))
  if (known?.code === 'unauthorized') response.setHeader('WWW-Authenticate', 'Bearer')
  sendJson(response, known?.status ?? 500, toWireError(error, requestId))
}
