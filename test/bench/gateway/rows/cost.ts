import { usageOf } from '../process-usage.ts'

/** CPU time that processes took for some work, ms, and what came of it. */
export interface Cost<R> {
  result: R
  cpuMs: number[]
}

/** Does `work` and tells what each of the processes took of a processor meanwhile. */
export async function costOf<R>(pids: readonly number[], work: () => Promise<R>): Promise<Cost<R>> {
  const before = pids.map((pid) => usageOf(pid).cpuMs)
  const result = await work()
  return { result, cpuMs: pids.map((pid, index) => usageOf(pid).cpuMs - (before[index] ?? Number.NaN)) }
}
