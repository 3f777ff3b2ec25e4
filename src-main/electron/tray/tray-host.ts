import { execFile } from 'node:child_process'

/** How long the session bus may take to answer. */
const ASK_MS = 2_000

/**
 * The programs that ask the session bus, the first that is installed: dbus-send is in no basic installation of some
 * systems, busctl comes with systemd, gdbus with GNOME's libraries.
 */
const ASKING: readonly [program: string, args: readonly string[]][] = [
  [
    'dbus-send',
    [
      '--session',
      '--print-reply',
      '--dest=org.freedesktop.DBus',
      '/org/freedesktop/DBus',
      'org.freedesktop.DBus.NameHasOwner',
      'string:org.kde.StatusNotifierWatcher',
    ],
  ],
  [
    'busctl',
    [
      ...['--user', 'call', 'org.freedesktop.DBus', '/org/freedesktop/DBus', 'org.freedesktop.DBus'],
      ...['NameHasOwner', 's', 'org.kde.StatusNotifierWatcher'],
    ],
  ],
  [
    'gdbus',
    [
      ...['call', '--session', '--dest', 'org.freedesktop.DBus', '--object-path', '/org/freedesktop/DBus'],
      ...['--method', 'org.freedesktop.DBus.NameHasOwner', 'org.kde.StatusNotifierWatcher'],
    ],
  ],
]

/** Runs a program that asks; undefined where it is not installed. */
type Ask = (program: string, args: readonly string[]) => Promise<boolean | undefined>

/**
 * Whether the desktop shows tray icons. Windows and macOS do; on Linux Electron does not report an icon that is shown
 * nowhere, so this asks the session bus for a tray host. No answer counts as none.
 */
export async function hasTrayHost(platform: NodeJS.Platform = process.platform, ask: Ask = askBus): Promise<boolean> {
  if (platform !== 'linux') return true
  for (const [program, args] of ASKING) {
    const answer = await ask(program, args)
    if (answer !== undefined) return answer
  }
  return false
}

function askBus(program: string, args: readonly string[]): Promise<boolean | undefined> {
  return new Promise((resolve) => {
    execFile(program, args, { timeout: ASK_MS }, (error, stdout) => {
      if (error !== null) resolve(error.code === 'ENOENT' ? undefined : false)
      else resolve(/\btrue\b/.test(stdout))
    })
  })
}

/** A desktop that starts this app at login may start its tray later: ask again after these times. */
const RETRIES_MS = [5_000, 15_000, 40_000, 60_000]

/** Calls `found` once when the desktop shows tray icons, now or a little later. Returns a function that stops the search. */
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
