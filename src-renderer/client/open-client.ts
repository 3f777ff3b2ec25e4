import type { OcfBridge } from '#shared/contract/bridge.js'
import type { Client } from '#shared/contract/client.js'
import { createHttpClient } from './http.js'
import { createIpcClient } from './ipc.js'

declare global {
  interface Window {
    /** Given by the preload script of the desktop app; absent in a browser. */
    readonly ocf?: OcfBridge
  }
}

const TOKEN_KEY = 'ocf-token'

/** The client for the place this page runs in; undefined in a browser that has no key. `onRefused`: its key is too old. */
export function openClient(onRefused: () => void): Client | undefined {
  if (window.ocf !== undefined) return createIpcClient(window.ocf)
  const token = takeToken()
  return token === undefined ? undefined : createHttpClient({ url: location.origin, token, onRefused })
}

/**
 * The key from the address, which is then taken out of it, so that it is in no bookmark, screenshot or copied link.
 * It is kept for this tab only, for reloads.
 */
function takeToken(): string | undefined {
  const inAddress = new URLSearchParams(location.hash.slice(1)).get('token')
  if (inAddress !== null) {
    sessionStorage.setItem(TOKEN_KEY, inAddress)
    history.replaceState(null, '', `${location.pathname}#/home`)
  }
  return inAddress ?? sessionStorage.getItem(TOKEN_KEY) ?? undefined
}
