import { protocol } from 'electron'
import { contentSecurityPolicy } from '../../api/http/access.js'
import { listStaticFiles } from '../../api/http/static-files.js'

/** The window's pages have an origin of their own: module scripts, CSP `'self'` and the clipboard work as on the web. */
export const APP_URL = 'app://ocf/'

/** Has to be called before Electron is ready. */
export function registerAppScheme(): void {
  protocol.registerSchemesAsPrivileged([
    { scheme: 'app', privileges: { standard: true, secure: true, supportFetchAPI: true } },
  ])
}

/** Serves the built dashboard under {@link APP_URL}; nothing else of the disk can be asked for. */
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
