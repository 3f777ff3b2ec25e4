import { execFile } from 'node:child_process'
import type { Hardware } from '#shared/records.js'

/** A fact of this machine, or why it is not known. */
export type Fact<T> = { known: true; value: T } | { known: false; why: string }

/** A fact that is known. */
export const known = <T>(value: T): Fact<T> => ({ known: true, value })
/** One that is not. */
export const unknown = (why: string): Fact<never> => ({ known: false, why })

/** A GPU as its driver tells it. */
export type GpuFacts = Hardware['gpus'][number] & {
  /** Percent of the last moments in which it computed; null where the driver does not say. */
  busyPercent: number | null
  /** Degrees Celsius; null where the driver does not say. */
  celsius: number | null
}

/**
 * What the pause rules go by. Headless from what the operating system gives, in the desktop app from Electron.
 * Answers come from short, bounded questions; none blocks.
 */
export interface MachineFacts {
  /** Milliseconds since keyboard or mouse were last used. */
  userIdleMs(): Promise<Fact<number>>
  onBattery(): Promise<Fact<boolean>>
  gpus(): Promise<Fact<readonly GpuFacts[]>>
  /** File names of the programs that run. */
  programs(): Promise<Fact<ReadonlySet<string>>>
}

/** A tool of the system or of a driver may take this long. */
const TOOL_MS = 5_000
const MAX_OUTPUT = 4 * 1024 * 1024

/** Runs a program without a shell; its output, or undefined when it is missing, fails or takes too long. */
export type RunTool = (file: string, args: readonly string[]) => Promise<string | undefined>

/** {@link RunTool} on this machine. */
export const runTool: RunTool = (file, args) =>
  new Promise((resolve) => {
    execFile(
      file,
      args,
      { timeout: TOOL_MS, killSignal: 'SIGKILL', maxBuffer: MAX_OUTPUT, windowsHide: true },
      (error, stdout) => resolve(error === null ? stdout : undefined),
    )
  })
