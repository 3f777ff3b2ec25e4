import { execFile } from 'node:child_process'

/** How long the session bus may take to answer. */
const ASK_MS = 2_000

/**
 * Whether the desktop has a place for tray icons. Windows and macOS have; on Linux Electron gives no sign when an icon
 * is shown nowhere, so the session bus is asked for the one who would show it. No answer counts as none.
 */
export function hasTrayHost(platform: NodeJS.Platform = process.platform): Promise<boolean> {
  if (platform !== 'linux') return Promise.resolve(true)
  const question = [
    '--session',
    '--print-reply',
    '--dest=org.freedesktop.DBus',
    '/org/freedesktop/DBus',
    'org.freedesktop.DBus.NameHasOwner',
    'string:org.kde.StatusNotifierWatcher',
  ]
  return new Promise((resolve) => {
    execFile('dbus-send', question, { timeout: ASK_MS }, (error, stdout) => {
      resolve(error === null && /\bboolean true\b/.test(stdout))
    })
  })
}

/** A desktop that starts this app at login may bring its tray up later: asked again after so many milliseconds. */
const RETRIES_MS = [5_000, 15_000, 40_000, 60_000]

/** Calls `found` once when the desktop has a place for tray icons, now or a little later; returns the way to stop. */
export function whenTrayHost(found: () => void, ask: () => Promise<boolean> = hasTrayHost): () => void {
  let timer: NodeJS.Timeout | undefined
  let stopped = false
  async function attempt(number: number): Promise<void> {
    const has = await ask()
    if (stopped) return
    if (has) {
      found()
      return
    }
    const waitMs = RETRIES_MS[number]
    if (waitMs !== undefined) timer = setTimeout(() => void attempt(number + 1), waitMs)
  }
  void attempt(0)
  return () => {
    stopped = true
    clearTimeout(timer)
  }
}
