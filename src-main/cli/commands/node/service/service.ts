import { resolve } from 'node:path'
import { AppError } from '#shared/errors.js'
import { quote } from '../../../../config/index.js'
import { printable } from '../../../../logging/index.js'
import { EXIT, type CliIo } from '../../../io.js'
import { serviceManager, type ServiceManager, type ServiceSystem, thisSystem } from './managers.js'
import type { ServiceCommand } from './unit-text.js'

/** What `ocf service` does. */
export const SERVICE_ACTIONS = ['install', 'remove', 'status'] as const

interface ServiceOptions {
  action: string
  /** Settings for `ocf start`, as flags. */
  flags: readonly string[]
  dataDir: string
  /** The settings file that was chosen; empty for the usual one. */
  config: string
}

/**
 * `ocf service install|remove|status`: has the system run the node for this user from login on.
 * @throws AppError `invalid_settings` for another action, for root, and where this system has nothing to do it with
 */
export function runService(
  { io, system = thisSystem(io.env) }: { io: CliIo; system?: ServiceSystem },
  options: ServiceOptions,
): number {
  const action = SERVICE_ACTIONS.find((one) => one === options.action)
  if (action === undefined) {
    throw new AppError('invalid_settings', `There is no ${quote(options.action)}: say ${SERVICE_ACTIONS.join(', ')}.`)
  }
  const manager = serviceManager(system, options.dataDir)
  if (manager === undefined) {
    throw new AppError('invalid_settings', `This command knows no service manager of ${system.platform}.`)
  }
  if (action === 'status') return showState(io, manager)
  if (system.uid === 0) {
    throw new AppError(
      'invalid_settings',
      'A service of root would run the node with all rights. Run this as the user whose node it is; docs/operating.md has a unit for a server.',
    )
  }
  return action === 'install' ? install(io, manager, options) : remove(io, manager)
}

function install(io: CliIo, manager: ServiceManager, options: ServiceOptions): number {
  const problem = manager.install(commandOf(io, options))
  if (problem !== undefined) {
    io.stderr.write(`error: ${manager.place} is written, but the node was not started: ${printable(problem)}\n`)
    return EXIT.failed
  }
  io.stdout.write(`The node runs now, and from each login on (${manager.place}).\n`)
  io.stdout.write('`ocf service remove` ends that. Its data folder stays.\n')
  return EXIT.ok
}

function remove(io: CliIo, manager: ServiceManager): number {
  const { isInstalled } = manager.state()
  if (!isInstalled) {
    io.stdout.write('No service is installed.\n')
    return EXIT.ok
  }
  const problem = manager.remove()
  if (problem !== undefined) {
    io.stderr.write(`error: The service is removed, but the node may still run: ${printable(problem)}\n`)
    return EXIT.failed
  }
  io.stdout.write('The service is removed, and its node has stopped. The data folder stays.\n')
  return EXIT.ok
}

function showState(io: CliIo, manager: ServiceManager): number {
  const { isInstalled, isRunning } = manager.state()
  const installed = isInstalled ? `Installed: ${manager.place}.` : 'Not installed. `ocf service install` does that.'
  io.stdout.write(`${installed}${isInstalled ? (isRunning ? ' The node runs.' : ' The node does not run.') : ''}\n`)
  return EXIT.ok
}

/** The words that start this very program again, from any folder. */
function commandOf(io: CliIo, { flags, dataDir, config }: ServiceOptions): ServiceCommand {
  const where = [
    '--data-dir',
    dataDir,
    ...(config === '' ? [] : ['--config', resolve(io.cwd ?? process.cwd(), config)]),
  ]
  const start = ['start', ...where, ...flags]
  if (!('electron' in process.versions)) {
    const [, program = ''] = process.argv
    return { words: [process.execPath, resolve(program), ...start] }
  }
  // An AppImage runs from a folder that is gone afterwards.
  const app = io.env['APPIMAGE'] ?? process.execPath
  const screenless = process.platform === 'linux' ? ['--ozone-platform=headless', '--disable-gpu'] : []
  return { words: [app, ...screenless, '--cli', ...start] }
}
