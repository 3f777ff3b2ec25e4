import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { z } from 'zod'

/** A process as it is written down for later: a process id alone may be that of another one by then. */
export const ProcessIdentitySchema = z.object({
  pid: z.number().int().positive(),
  /** When it began, in the system's own words. */
  startedAt: z.string().min(1),
})
export type ProcessIdentity = z.output<typeof ProcessIdentitySchema>

/** The process that has this id now; undefined where there is none, or the system does not say when it began (Windows). */
export function processIdentity(pid: number): ProcessIdentity | undefined {
  const startedAt = process.platform === 'linux' ? linuxStart(pid) : posixStart(pid)
  return startedAt === undefined ? undefined : { pid, startedAt }
}

/** True while the process that was written down runs. */
export function isRunning(written: ProcessIdentity): boolean {
  return processIdentity(written.pid)?.startedAt === written.startedAt
}

/** proc(5): field 22 counts ticks since the boot; the name in field 2 may hold anything, so fields count from its last bracket. */
function linuxStart(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const [state, ...fields] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    if (state === 'Z' || state === 'X') return undefined
    return `${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}/${fields[18] ?? ''}`
  } catch {
    return undefined // It is gone, or /proc is not for this user.
  }
}

function posixStart(pid: number): string | undefined {
  if (process.platform === 'win32') return undefined
  const { status, stdout } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], {
    encoding: 'utf8',
    env: { LC_ALL: 'C', TZ: 'UTC', PATH: process.env['PATH'] },
  })
  return status === 0 ? stdout.trim() || undefined : undefined
}
