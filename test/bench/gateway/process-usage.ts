import { readFileSync } from 'node:fs'

/** What a process has used so far; figures are NaN where the system has no /proc. */
export interface Usage {
  /** User and system time, ms. */
  cpuMs: number
  rssKiB: number
}

/** Linux counts CPU time in hundredths of a second. */
const TICK_MS = 10
/** utime and stime, counted behind the name, which may itself hold spaces and brackets (proc(5), /proc/pid/stat). */
const UTIME = 11
const STIME = 12

export function usageOf(pid: number): Usage {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    return {
      cpuMs: (Number(fields[UTIME]) + Number(fields[STIME])) * TICK_MS,
      rssKiB: Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]),
    }
  } catch {
    return { cpuMs: Number.NaN, rssKiB: Number.NaN }
  }
}

/** Watches how high the memory of processes rises; `stop` gives the highest rise over the beginning, KiB. */
export function watchMemory(pids: readonly number[]): { stop(): number[] } {
  const before = pids.map((pid) => usageOf(pid).rssKiB)
  const peaks = [...before]
  const look = (): void => {
    for (const [index, pid] of pids.entries()) peaks[index] = Math.max(peaks[index] ?? 0, usageOf(pid).rssKiB)
  }
  const timer = setInterval(look, 50)
  return {
    stop() {
      look()
      clearInterval(timer)
      return peaks.map((peak, index) => peak - (before[index] ?? 0))
    },
  }
}
