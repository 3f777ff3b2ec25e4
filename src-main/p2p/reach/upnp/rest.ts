import { setTimeout as pause } from 'node:timers/promises'

/** Resolves after so many milliseconds, or when `signal` aborts; keeps no program running. */
export async function rest(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await pause(ms, undefined, { signal, ref: false })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}
