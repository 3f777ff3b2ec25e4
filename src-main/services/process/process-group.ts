import { spawn, type ChildProcessByStdio } from 'node:child_process'
import { once } from 'node:events'
import { readdir, readFile } from 'node:fs/promises'
import type { Readable, Writable } from 'node:stream'
import type { SleepingClock } from '../../base/clock.js'
import { inheritedEnvironment } from './inherited-environment.js'

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

/**
 * Runs a command line in the shell, in a process group of its own, without this program's own variables. The group ends
 * with this process, however that ends; on Windows only the shell does.
 */
export function startProcessGroup(needs: { clock: SleepingClock }, command: string): ProcessGroup {
  const watcher = process.platform === 'win32' ? undefined : startWatcher()
  const child: ChildProcessByStdio<null, Readable, Readable> = spawn(command, {
    shell: true,
    detached: process.platform !== 'win32',
    windowsHide: true,
    env: inheritedEnvironment(process.env),
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  if (child.pid !== undefined) watcher?.write(`${child.pid}\n`)
  const ended = endOf(child)

  async function terminate(graceMs: number): Promise<void> {
    if (child.pid !== undefined) {
      await endProcessGroup(needs, child.pid, graceMs)
      await ended
    }
    watcher?.end('ended\n')
  }

  return { pid: child.pid, stdout: child.stdout, stderr: child.stderr, ended, terminate }
}

/** Ends a process group, on Windows a process with its descendants: politely, and by force after `graceMs`. */
export async function endProcessGroup(needs: { clock: SleepingClock }, pid: number, graceMs: number): Promise<void> {
  if (process.platform === 'win32') {
    await endTree(pid)
    return
  }
  const never = new AbortController().signal
  const deadlineMs = needs.clock.elapsedMs() + graceMs
  signalGroup(pid, 'SIGTERM')
  while ((await hasLivingMember(pid)) && needs.clock.elapsedMs() < deadlineMs) await needs.clock.sleep(POLL_MS, never)
  signalGroup(pid, 'SIGKILL')
}

/** Ends the group that it reads of, unless it reads a second line before its input ends. */
const WATCHER = `read -r group || exit 0
read -r ended && exit 0
kill -s TERM -- "-$group" || exit 0
for second in 1 2 3 4; do sleep 1; kill -s 0 -- "-$group" || exit 0; done
kill -s KILL -- "-$group"`

/**
 * A shell that holds a pipe to this process: when the system closes it, because this process was killed, the shell ends
 * the group. It runs in its own session, so that what ends this process does not end it, too.
 */
function startWatcher(): Writable {
  const watcher = spawn('/bin/sh', ['-c', WATCHER], {
    detached: true,
    cwd: '/',
    env: { PATH: process.env['PATH'] },
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  // A system without this shell could not run the command either; a watcher that is gone has nothing to be told.
  watcher.on('error', () => undefined)
  watcher.stdin.on('error', () => undefined)
  watcher.unref()
  return watcher.stdin
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
