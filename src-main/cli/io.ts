import type { DiskScan } from '#shared/contract/sharing/disk-models.js'
import type { EngineBackend, EngineInstall } from '#shared/contract/sharing/engine.js'
import type { ControlClient } from '../api/client.js'
import type { Folders, Origins, Settings } from '../config/index.js'

export type { ControlClient } from '../api/client.js'

/** Standard output or standard error, as far as the command line uses them. */
export interface TextSink {
  write(text: string): unknown
  /** True when a person reads it on a terminal. */
  isTTY?: boolean
  /** Width of that terminal in characters. */
  columns?: number
}

/** The world around the command line, as a program that hosts it gives it. */
export interface HostIo {
  stdout: TextSink
  stderr: TextSink
  env: Readonly<Record<string, string | undefined>>
  /** What relative paths are relative to; the working directory unless given. */
  cwd?: string
  /** The system's folders unless given. */
  folders?: Folders
  /** The text of a file, undefined where there is none; the file system unless given. */
  readFile?: (path: string) => string | undefined
  /**
   * What a person pastes behind `prompt`, unseen, or a program pipes in; undefined after Ctrl-C. For secrets: arguments
   * stand in the list of processes and in the shell's history.
   */
  readPasted(prompt: string): Promise<string | undefined>
  /** All that a program pipes in, or a file; absent where a person types. Rejects with `invalid_settings` for too much. */
  readInput?: (() => Promise<string>) | undefined
  /** Calls `listener` on Ctrl-C; returns the way to stop. */
  onInterrupt(listener: () => void): () => void
  /** Asks the person at the terminal; undefined when input ends or `signal` aborts. Absent where there is none to ask. */
  ask?: ((question: string, signal: AbortSignal) => Promise<string | undefined>) | undefined
  /** Shows a file in this person's browser; absent where there is none to show it. */
  openInBrowser?: (file: string) => void
}

/** The same as commands have it: what they print is harmless whatever is in it. */
export interface CliIo extends HostIo {
  /** Prints what another program may read, such as an answer: unchanged where that is no terminal. */
  writeData(text: string): void
}

/** What `ocf demo` is asked for. */
export interface DemoOptions {
  /** How many nodes the demo network has. */
  nodes: number
  /** Ends after the first answer instead of staying up. */
  once: boolean
  settings: Settings
  origins: Origins
}

/** The commands that run a node; they resolve to an exit code once it has ended. */
export interface CliHandlers {
  start(settings: Settings, origins: Origins): Promise<number>
  app(settings: Settings, origins: Origins): Promise<number>
  demo(options: DemoOptions): Promise<number>
  /** Loaded by the commands that want them; absent where another program does their work. */
  engineTools?: () => Promise<EngineTools>
}

/** An installer of the engine in a data folder that no node holds. */
export interface InstallerTool {
  state(): EngineInstall
  /** Resolves when it ended, well or not: the state says which. */
  install(backend?: EngineBackend): Promise<void>
  remove(): Promise<void>
}

/** What is done with the engine and the disks where no node runs. */
export interface EngineTools {
  scan(settings: Settings, onProgress: (state: DiskScan) => void): Promise<DiskScan>
  withInstaller<T>(
    settings: Settings,
    onProgress: (state: EngineInstall) => void,
    work: (installer: InstallerTool) => Promise<T>,
  ): Promise<T>
}

/** What {@link runCli} needs. */
export interface CliNeeds {
  io: HostIo
  handlers: CliHandlers
  /** Words that no command knows are warned of and ignored: they come from installers and systems, not from a person. */
  isTolerant?: boolean | undefined
  /** The node that runs with this data folder; its calls reject with `node_not_running` where none does. */
  connect(dataDir: string): ControlClient
}

/** What `ocf` exits with. */
export const EXIT = {
  /** It did what was asked. */
  ok: 0,
  /** It failed while running: a port in use, an answer that broke off. */
  failed: 1,
  /** The command line or the settings are wrong; nothing was started. */
  usage: 2,
  /** No node is running with that data folder. */
  notRunning: 3,
  /** Ended by Ctrl-C: 128 + SIGINT, as shells have it. */
  interrupted: 130,
} as const
