import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { homedir, tmpdir, userInfo } from 'node:os'
import { dirname, join } from 'node:path'
import {
  LAUNCHD_LABEL,
  launchdPlist,
  SERVICE_NAME,
  systemdUnit,
  windowsTask,
  type ServiceCommand,
} from './unit-text.js'

/** What a program of the system answered; code null where it is not there. */
interface ToolAnswer {
  code: number | null
  output: string
}

/** The system as far as a service touches it; tests bring their own. */
export interface ServiceSystem {
  platform: NodeJS.Platform
  env: Readonly<Record<string, string | undefined>>
  home: string
  /** Undefined on Windows. */
  uid: number | undefined
  user: string
  run: (program: string, ...args: string[]) => ToolAnswer
}

/** The machine this runs on. */
export const thisSystem = (env: ServiceSystem['env']): ServiceSystem => ({
  platform: process.platform,
  env,
  home: homedir(),
  uid: process.getuid?.(),
  user: userInfo().username,
  run(program, ...args) {
    const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', windowsHide: true })
    return { code: status, output: [stdout, stderr].join('').trim() }
  },
})

/** What the system knows of the node. */
interface ServiceState {
  isInstalled: boolean
  isRunning: boolean
}

/** The part of one system that runs programs from login on. */
export interface ServiceManager {
  /** Where its description lies, as a person finds it. */
  readonly place: string
  state(): ServiceState
  /** Writes the description and starts the node. Returns what did not work, for a person. */
  install(command: ServiceCommand): string | undefined
  /** Stops the node and removes all that `install` made. */
  remove(): string | undefined
}

/** The manager of this system; undefined where there is none that is known. */
export function serviceManager(system: ServiceSystem, dataDir: string): ServiceManager | undefined {
  switch (system.platform) {
    case 'linux':
      return systemd(system)
    case 'darwin':
      return launchd(system, join(dataDir, 'logs', 'service.log'))
    case 'win32':
      return taskScheduler(system)
    default:
      return undefined
  }
}

const readIfThere = (file: string): string | undefined => {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
}

function writeFile(file: string, text: string): void {
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text, { mode: 0o644 })
}

const failure = (what: string, { code, output }: ToolAnswer): string | undefined =>
  code === 0 ? undefined : `${what} ${code === null ? 'is not there' : `says: ${output || `exit code ${code}`}`}`

function systemd({ run, env, home }: ServiceSystem): ServiceManager {
  const config = env['XDG_CONFIG_HOME'] || join(home, '.config')
  const folder = join(config, 'systemd', 'user')
  const unit = `${SERVICE_NAME}.service`
  const place = join(folder, unit)
  const link = join(folder, 'default.target.wants', unit)
  const systemctl = (...args: string[]): ToolAnswer => run('systemctl', '--user', ...args)
  return {
    place,
    state: () => ({
      isInstalled: readIfThere(place) !== undefined,
      isRunning: systemctl('is-active', '--quiet', unit).code === 0,
    }),
    install(command) {
      const text = systemdUnit(command)
      const isSame = readIfThere(place) === text
      if (!isSame) writeFile(place, text)
      const steps = [
        () => systemctl('daemon-reload'),
        () => systemctl('enable', unit),
        () => systemctl(isSame ? 'start' : 'restart', unit),
      ]
      for (const step of steps) {
        const problem = failure('systemctl', step())
        if (problem !== undefined) return problem
      }
      return undefined
    },
    remove() {
      // Without a running systemd there is nothing to stop, and its link is taken away here.
      const stopped = systemctl('disable', '--now', unit)
      rmSync(place, { force: true })
      rmSync(link, { force: true })
      systemctl('daemon-reload')
      return stopped.code === null ? undefined : failure('systemctl', stopped)
    },
  }
}

function launchd({ run, home, uid = 0 }: ServiceSystem, logFile: string): ServiceManager {
  const place = join(home, 'Library', 'LaunchAgents', `${LAUNCHD_LABEL}.plist`)
  const domain = `gui/${uid}`
  const service = `${domain}/${LAUNCHD_LABEL}`
  const isLoaded = (): ToolAnswer => run('launchctl', 'print', service)
  return {
    place,
    state() {
      const { code, output } = isLoaded()
      return { isInstalled: readIfThere(place) !== undefined, isRunning: code === 0 && /state = running/.test(output) }
    },
    install(command) {
      const text = launchdPlist(command, logFile)
      const isSame = readIfThere(place) === text
      if (isSame && isLoaded().code === 0) return undefined
      mkdirSync(dirname(logFile), { recursive: true, mode: 0o700 })
      writeFile(place, text)
      if (isLoaded().code === 0) run('launchctl', 'bootout', service)
      return failure('launchctl', run('launchctl', 'bootstrap', domain, place))
    },
    remove() {
      const stopped = isLoaded().code === 0 ? run('launchctl', 'bootout', service) : undefined
      rmSync(place, { force: true })
      return stopped === undefined ? undefined : failure('launchctl', stopped)
    },
  }
}

function taskScheduler({ run, user, env }: ServiceSystem): ServiceManager {
  const place = `\\${SERVICE_NAME}`
  const schtasks = (...args: string[]): ToolAnswer => run('schtasks', ...args)
  const isThere = (): ToolAnswer => schtasks('/Query', '/TN', place, '/FO', 'LIST')
  const account = env['USERDOMAIN'] === undefined ? user : `${env['USERDOMAIN']}\\${user}`
  return {
    place: `Task Scheduler, ${SERVICE_NAME}`,
    state() {
      const { code, output } = isThere()
      return { isInstalled: code === 0, isRunning: code === 0 && /:\s*Running/i.test(output) }
    },
    install(command) {
      const file = join(tmpdir(), `${SERVICE_NAME}-${process.pid}.xml`)
      try {
        // The scheduler reads UTF-16 with its mark.
        writeFileSync(file, `\ufeff${windowsTask(command, account)}`, { encoding: 'utf16le', flag: 'wx' })
        const made = failure('schtasks', schtasks('/Create', '/TN', place, '/XML', file, '/F'))
        return made ?? failure('schtasks', schtasks('/Run', '/TN', place))
      } finally {
        rmSync(file, { force: true })
      }
    },
    remove() {
      if (isThere().code !== 0) return undefined
      schtasks('/End', '/TN', place)
      return failure('schtasks', schtasks('/Delete', '/TN', place, '/F'))
    },
  }
}
