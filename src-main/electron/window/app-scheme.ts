import { protocol, session } from 'electron'
import { contentSecurityPolicy, listStaticFiles } from '../../api/http/index.js'

/** The window's pages have their own origin, so module scripts, CSP `'self'` and the clipboard work as on the web. */
export const APP_URL = 'app://ocf/'

/** Call it before Electron is ready. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ])
}

/** Serves the built dashboard under {@link APP_URL}; no other file can be requested. */
export async function serveAppScheme(needs: { rendererDir: string; gatewayUrl: () => string | null }): Promise<void> {
  const files = await listStaticFiles(needs.rendererDir)
  protocol.handle('app', async (request) => {
    const { host, pathname } = new URL(request.url)
    const file = host === 'ocf' ? files.get(pathname) : undefined
    if (file === undefined) return new Response('There is nothing at this address.', { status: 404 })
    return new Response(new Uint8Array(await file.read()), {
      headers: {
        'Content-Type': file.contentType,
        'Content-Security-Policy': contentSecurityPolicy({ gateway: needs.gatewayUrl() }),
        'X-Content-Type-Options': 'nosniff',
      },
    })
  })
}

/**
 * The dashboard copies addresses and calls the gateway on this machine; Chromium wants a permission for both (the CSP
 * still limits it to that one address). It needs no camera, location, notification or anything else.
 */
const ALLOWED: ReadonlySet<string> = new Set(['clipboard-sanitized-write', 'loopback-network', 'local-network-access'])

/** Whether a page at `url` gets this permission. */
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
