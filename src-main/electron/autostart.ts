import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { BACKGROUND } from './argv.js'

/** Starting the app when the person logs in. Nothing is set up before the person asks for it. */
export interface Autostart {
  /** The system's present answer; the person may have changed it there. */
  isOn(): boolean
  /** Throws the file system's errors. */
  set(on: boolean): void
  /** Updates the program's path in an existing entry; an AppImage may have moved. */
  refresh(): void
}

/** The part of Electron's `app` that is used; the calls exist on macOS and Windows only. */
export interface LoginItems {
  getLoginItemSettings(options?: { args?: string[] }): {
    openAtLogin: boolean
    /** macOS: the system started this process at login. */
    wasOpenedAtLogin: boolean
    /** Windows: the entries of this program, and whether Task Manager and the Settings leave them on. */
    launchItems?: readonly { args: readonly string[]; enabled: boolean }[]
  }
  setLoginItemSettings(settings: { openAtLogin: boolean; enabled?: boolean; args?: string[] }): void
}

/** Where the program and its login entry are. */
export interface AutostartOptions {
  platform: NodeJS.Platform
  /** The program and its arguments; for an AppImage, the image. */
  command: readonly string[]
  /** `$XDG_CONFIG_HOME`, or `~/.config`. */
  configHome: string
}

/** Autostart of this platform; undefined where it has none that is known. */
export function createAutostart(needs: { loginItems: LoginItems }, options: AutostartOptions): Autostart | undefined {
  switch (options.platform) {
    case 'linux':
      return desktopEntry(options)
    case 'darwin':
    case 'win32':
      return loginItem(needs.loginItems)
    default:
      return undefined
  }
}

/** Whether the system started this process at login. macOS says so; elsewhere the entry passes {@link BACKGROUND}. */
export function wasOpenedAtLogin(items: LoginItems, platform: NodeJS.Platform): boolean {
  return platform === 'darwin' && items.getLoginItemSettings().wasOpenedAtLogin
}

function loginItem(items: LoginItems): Autostart {
  const args = [BACKGROUND]
  return {
    isOn() {
      const { openAtLogin, launchItems = [] } = items.getLoginItemSettings({ args })
      const isOff = launchItems.some((item) => !item.enabled && item.args.includes(BACKGROUND))
      return openAtLogin && !isOff
    },
    // Without `enabled` an entry that was switched off in Task Manager would stay off.
    set: (on) => items.setLoginItemSettings({ openAtLogin: on, enabled: on, args }),
    refresh: () => undefined,
  }
}

/** The XDG autostart specification: one file in `~/.config/autostart`. */
function desktopEntry({ configHome, command }: AutostartOptions): Autostart {
  const dir = join(configHome, 'autostart')
  const file = join(dir, 'ocf-desktop.desktop')
  const entry = [
    '[Desktop Entry]',
    'Type=Application',
    'Name=Open Compute',
    'Comment=Shares models of this computer in the background',
    `Exec=${[...command, BACKGROUND].map(quoted).join(' ')}`,
    'Icon=ocf-desktop',
    'Terminal=false',
    'X-GNOME-Autostart-enabled=true',
    '',
  ].join('\n')

  function read(): string | undefined {
    try {
      return readFileSync(file, 'utf8')
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
      throw error
    }
  }
  function isOn(): boolean {
    const text = read()
    // Desktops switch an entry off by such a line.
    return text !== undefined && !/^(Hidden=true|X-GNOME-Autostart-enabled=false)\s*$/m.test(text)
  }
  function set(on: boolean): void {
    if (!on) {
      rmSync(file, { force: true })
      return
    }
    mkdirSync(dir, { recursive: true })
    writeFileSync(file, entry)
  }
  return {
    isOn,
    set,
    refresh() {
      if (isOn() && read() !== entry) set(true)
    },
  }
}

/** One word of an `Exec` line (Desktop Entry Specification, "The Exec key"): quoted, `%` doubled. */
function quoted(word: string): string {
  const plain = word.replaceAll('%', '%%')
  if (/^[\w@%+=:,./-]+$/.test(plain)) return plain
  // Backslashes are unescaped twice: once as a string of the file, once inside the quotes.
  return `"${plain.replaceAll('\\', '\\\\\\\\').replace(/["`$]/g, '\\\\$&')}"`
}
