import { session } from 'electron'
import { APP_URL } from './app-scheme.js'

/**
 * The dashboard copies addresses and talks to the gateway on this machine, which Chromium asks a permission for (the
 * CSP still holds it to that one address). It needs no camera, place, notification or anything else.
 */
const ALLOWED: ReadonlySet<string> = new Set(['clipboard-sanitized-write', 'loopback-network', 'local-network-access'])

/** Whether a page at `url` gets what it asks for. */
export function mayHave(permission: string, url: string): boolean {
  return ALLOWED.has(permission) && url.startsWith(APP_URL)
}

/** Denies every permission but those of {@link mayHave}. */
export function restrictPermissions(): void {
  const { defaultSession } = session
  defaultSession.setPermissionRequestHandler((_contents, permission, decide, details) => {
    decide(mayHave(permission, details.requestingUrl))
  })
  defaultSession.setPermissionCheckHandler((_contents, permission, origin) => {
    // Electron gives the origin without, and for custom schemes with, a slash at its end.
    return mayHave(permission, origin.endsWith('/') ? origin : `${origin}/`)
  })
}
