import { spawn } from 'node:child_process'

/** How each system shows a file with the program a person chose for it. */
const OPENERS: Partial<Record<NodeJS.Platform, string>> = { darwin: 'open', win32: 'explorer.exe' }

/** Shows a file in this person's browser, as far as the system can; undefined where there is no display. */
export function browserOpener(): ((file: string) => void) | undefined {
  const { DISPLAY, WAYLAND_DISPLAY } = process.env
  const opener = OPENERS[process.platform] ?? 'xdg-open'
  if (opener === 'xdg-open' && !DISPLAY && !WAYLAND_DISPLAY) return undefined
  return (file) => {
    const child = spawn(opener, [file], { stdio: 'ignore', detached: true })
    // The link is printed besides: a system without such a program loses nothing.
    child.on('error', () => undefined)
    child.unref()
  }
}
