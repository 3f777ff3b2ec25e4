import type { IncomingHttpHeaders } from 'node:http'
import { AppError } from '#shared/errors.js'

/**
 * Refuses what a foreign web page could send. The `Host` must name this server exactly, which defeats DNS
 * rebinding, and an `Origin` must be this server's own. Throws `forbidden_host` or `forbidden_origin`.
 */
export function assertOwnPage(headers: IncomingHttpHeaders, port: number): void {
  const host = headers.host ?? ''
  if (!isOwnHost(host, port)) {
    throw new AppError('forbidden_host', `Open the dashboard at http://127.0.0.1:${port}, not under another name.`)
  }
  if (headers.origin !== undefined && headers.origin !== `http://${host}`) {
    throw new AppError('forbidden_origin', 'Only the dashboard itself may use the control interface.')
  }
}

function isOwnHost(host: string, port: number): boolean {
  return ['127.0.0.1', 'localhost', '[::1]'].some((name) => host === `${name}:${port}`)
}

/** The token of an `Authorization: Bearer …` header. */
export function bearerToken(headers: IncomingHttpHeaders): string | undefined {
  const [scheme, token, ...rest] = (headers.authorization ?? '').split(' ')
  return scheme?.toLowerCase() === 'bearer' && token !== undefined && rest.length === 0 ? token : undefined
}

/** What a page of the dashboard may load and talk to: its own origin, the feed socket there, and the gateway for the chat. */
export function contentSecurityPolicy(needs: { feedSocket?: string; gateway: string | null }): string {
  const connect = ["'self'", needs.feedSocket, needs.gateway === null ? undefined : new URL(needs.gateway).origin]
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    `connect-src ${connect.filter((source) => source !== undefined).join(' ')}`,
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}
