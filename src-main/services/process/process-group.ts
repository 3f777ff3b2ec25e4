import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import type { SleepingClock } from '../../base/clock.js'

/** A command of the owner's with everything it started. */
export interface ProcessGroup {
  readonly pid: number | undefined
  readonly stdout: Readable
  readonly stderr: Readable
  /** How the command ended, in words. */
  readonly ended: Promise<string>
  /** Ends all of it: politely, and by force after `graceMs`. */
  terminate(graceMs: number): Promise<void>
}

const POLL_MS = 25

/** Runs a command line in the shell, in a process group of its own. */
export function startProcessGroup(needs: { clock: SleepingClock }, command: string): ProcessGroup {
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(command, {
    shell: true,
    detached: process.platform !== 'win32',
    windowsHide: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = endOf(child)
  const never = new AbortController().signal

  async function terminate(graceMs: number): Promise<void> {
    if (child.pid === undefined) return
    if (process.platform === 'win32') {
      await endTree(child.pid)
      return
    }
    const deadlineMs = needs.clock.elapsedMs() + graceMs
    signalGroup(child.pid, 'SIGTERM')
    while ((await hasLivingMember(child.pid)) && needs.clock.elapsedMs() < deadlineMs)
      await needs.clock.sleep(POLL_MS, never)
    signalGroup(child.pid, 'SIGKILL')
    await ended
  }

  return { pid: child.pid, stdout: child.stdout, stderr: child.stderr, ended, terminate }
}

async function endOf(child: ChildProcessByStdio<null, Readable, Readable>): Promise<string> {
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null]
    return signal === null ? `exit code ${code ?? 'unknown'}` : `signal ${signal}`
  } catch (error) {
    return error instanceof Error ? error.message : String(error)
  }
}

/** Windows has no process groups; its own tool ends a process with its descendants. */
async function endTree(pid: number): Promise<void> {
  const killer = spawn('taskkill', ['/pid', String(pid), '/T', '/F'], { windowsHide: true, stdio: 'ignore' })
  await once(killer, 'exit')
}

/** Whether anything of a process group still runs. One that has ended but is not reaped yet does not count. */
async function hasLivingMember(groupId: number): Promise<boolean> {
  if (!signalGroup(groupId, 0)) return false
  if (process.platform !== 'linux') return true
  for (const entry of await readdir('/proc')) {
    if (/^\d+$/.test(entry) && isLivingMember(await statOf(entry), groupId)) return true
  }
  return false
}

/** Sends a signal to a whole process group (0 only asks); false when nothing of it is left. */
function signalGroup(groupId: number, signal: NodeJS.Signals | 0): boolean {
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
