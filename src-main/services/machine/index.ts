import type { Hardware } from '#shared/records.js'

export { createSystemFacts } from './system-facts.js'
export { createHardware, type HardwareSource } from './hardware.js'
export { createGpuReader, type GpuReader } from './gpu-reader.js'

/** A fact of this machine, or why it is not known. */
export type Fact<T> = { known: true; value: T } | { known: false; why: string }

/** A GPU as its driver tells it. */
export type GpuFacts = Hardware['gpus'][number] & {
  /** Percent of the last moments in which it computed; null where it is not told. */
  busyPercent: number | null
}

/**
 * What the pause rules look at. Headless from what the operating system gives, in the desktop app from Electron.
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

/** A fact that is known. */
export const known = <T>(value: T): Fact<T> => ({ known: true, value })
/** One that is not. */
export const unknown = (why: string): Fact<never> => ({ known: false, why })
