import { readFile, readdir, readlink } from 'node:fs/promises'
import { basename } from 'node:path'
import { AppError } from '#shared/errors.js'
import { systemCodeOf } from '../base/system-error.js'
import { flagName, type SettingName } from './settings.js'

/** The program that has a port. */
export interface PortHolder {
  pid: number
  program: string
}

const LISTENING = '0A'

/**
 * Who holds a port of this machine; undefined where that can't be found out: other systems than Linux, or a program of
 * another user.
 */
export async function findPortHolder(port: number, transport: 'tcp' | 'udp' = 'tcp'): Promise<PortHolder | undefined> {
  if (process.platform !== 'linux') return undefined
  const tables = await Promise.all([socketTable(transport), socketTable(`${transport}6`)])
  const sockets = new Set(tables.flatMap((table) => inodesOf(table, port, transport)))
  if (sockets.size === 0) return undefined
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    if (await holdsOneOf(pid, sockets)) return { pid: Number(pid), program: await programName(pid) }
  }
  return undefined
}

/** Where a listener was to be, and the settings that say so. */
interface Listening {
  setting: SettingName
  port: number
  host: string
  /** Undefined where no setting chooses the host. */
  hostSetting?: SettingName
  transport?: 'tcp' | 'udp'
}

/**
 * Why nothing can listen there, and which setting helps: `port_in_use` with the holder, `port_not_permitted` or
 * `address_not_available`. Any other error as it came.
 */
export async function explainListenError(error: unknown, at: Listening): Promise<unknown> {
  const { setting, port, host, hostSetting, transport = 'tcp' } = at
  switch (systemCodeOf(error)) {
    case 'EADDRINUSE':
      return portInUseError(setting, port, await findPortHolder(port, transport))
    case 'EACCES':
    case 'EPERM':
      return new AppError(
        'port_not_permitted',
        `The system does not let this user listen on port ${port}. Choose one from 1024 up with ${flagName(setting)}.`,
        { param: setting, cause: error },
      )
    case 'EADDRNOTAVAIL':
    case 'EAFNOSUPPORT':
    case 'ENOTFOUND':
      return new AppError(
        'address_not_available',
        hostSetting === undefined
          ? `This machine has no address ${host} now: check its loopback interface.`
          : `This machine has no address ${host}. Give one of its own with ${flagName(hostSetting)}, or leave it out.`,
        { ...(hostSetting === undefined ? {} : { param: hostSetting }), cause: error },
      )
    default:
      return error
  }
}

/** The sentence for a port that is taken: who has it, and which setting chooses another one. */
export function portInUseError(setting: SettingName, port: number, holder: PortHolder | undefined): AppError {
  const sentence =
    holder === undefined
      ? `Port ${port} is used by another program. Choose another port with ${flagName(setting)}.`
      : `Port ${port} is used by \`${holder.program}\` (pid ${holder.pid}). Stop it or choose another port with ${flagName(setting)}.`
  return new AppError('port_in_use', sentence, { param: setting })
}

/** Lines of `/proc/net/tcp`: `sl local_address rem_address st … inode`; empty where IPv6 is off. */
async function socketTable(name: string): Promise<string[]> {
  const text = await readIfThere(() => readFile(`/proc/net/${name}`, 'utf8'))
  return text?.split('\n').slice(1) ?? []
}

function inodesOf(table: string[], port: number, transport: 'tcp' | 'udp'): string[] {
  const wanted = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  return table
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[1]?.endsWith(wanted) === true && (transport === 'udp' || columns[3] === LISTENING))
    .map((columns) => `socket:[${columns[9] ?? ''}]`)
}

async function holdsOneOf(pid: string, sockets: ReadonlySet<string>): Promise<boolean> {
  const folder = `/proc/${pid}/fd`
  const descriptors = (await readIfThere(() => readdir(folder))) ?? []
  for (const descriptor of descriptors) {
    const target = await readIfThere(() => readlink(`${folder}/${descriptor}`))
    if (target !== undefined && sockets.has(target)) return true
  }
  return false
}

async function programName(pid: string): Promise<string> {
  const commandLine = (await readIfThere(() => readFile(`/proc/${pid}/cmdline`, 'utf8'))) ?? ''
  const program = basename(commandLine.split(/[\0 ]/, 1)[0] ?? '')
  if (program !== '') return program
  return (await readIfThere(() => readFile(`/proc/${pid}/comm`, 'utf8')))?.trim() ?? 'a program'
}

/** Processes end and descriptors close while they are listed, and other users' are not for us to see. */
async function readIfThere<T>(read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined
    if (code === 'ENOENT' || code === 'EACCES' || code === 'EPERM' || code === 'ESRCH' || code === 'EINVAL')
      return undefined
    throw error
  }
}
