import { readdir, readFile } from 'node:fs/promises'

/** Whether anything of a process group still runs. A process that has ended but that nobody has reaped does not count. */
export async function hasLivingMember(groupId: number): Promise<boolean> {
  if (!signalGroup(groupId, 0)) return false
  if (process.platform !== 'linux') return true
  for (const entry of await readdir('/proc')) {
    if (/^\d+$/.test(entry) && isLivingMember(await statOf(entry), groupId)) return true
  }
  return false
}

/** Sends a signal to a whole process group (0 only asks); false when nothing of it is left. */
export function signalGroup(groupId: number, signal: NodeJS.Signals | 0): boolean {
  try {
    return process.kill(-groupId, signal)
  } catch (error) {
    // EPERM: macOS says so of a group of which only unreaped processes are left.
    if (isError(error, 'ESRCH') || isError(error, 'EPERM')) return false
    throw error
  }
}

async function statOf(pid: string): Promise<string> {
  try {
    return await readFile(`/proc/${pid}/stat`, 'utf8')
  } catch (error) {
    if (isError(error, 'ENOENT') || isError(error, 'ESRCH')) return ''
    throw error
  }
}

/** proc(5): `pid (name) state ppid pgrp …`; the name may hold anything, so fields count from its last bracket. */
function isLivingMember(stat: string, groupId: number): boolean {
  const [state, , group] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return Number(group) === groupId && state !== 'Z' && state !== 'X'
}

function isError(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}
