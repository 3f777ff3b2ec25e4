import { join } from 'node:path'
import { NO_PEERS_YET } from '#shared/contract/node/node.js'
import { AppError } from '#shared/errors.js'
import { within } from '../base/within.js'
import { EXIT } from '../cli/io.js'
import type { Origins, Settings } from '../config/index.js'
import { createLogger, type Log, type Logger } from '../logging/index.js'
import type { Compiled } from './compiled/whole-program.js'
import { CRASH_GRACE_MS, handleCrashes } from './crashes.js'
import type { OcfNode } from './node.js'
import { startNode, STOP_GRACE_MS, untilAskedToStop, type NodeStart, type RunningNode } from './run-node.js'

/** `ocf start`: a node until it is asked to stop. Standard output carries the ready line and nothing else. */
export async function runHeadlessNode(
  settings: Settings,
  origins: Origins,
  options: { builtDir: string; keepCompiled: (compiled: Compiled) => void },
): Promise<number> {
  const logger = createLogger({
    level: settings['log-level'],
    format: settings['log-format'],
    destination: process.stderr,
    colour: process.stderr.isTTY && process.env['NO_COLOR'] === undefined,
  })
  const { log } = logger
  const starting = new AbortController()
  let running: RunningNode | undefined
  const onCrash = (): void => {
    const stopped = running?.stop() ?? Promise.resolve()
    void within(stopped, CRASH_GRACE_MS, () => undefined).finally(() => process.exit(EXIT.failed))
  }
  handleCrashes({ log, onCrash }, { sentence: 'the node failed and ends' })
  const told = Promise.withResolvers<string>()
  const asked = Promise.race([untilAskedToStop(), told.promise]).then((reason) => {
    starting.abort(new Error(`stopped by ${reason} while starting`))
    return reason
  })
  for (let next = { settings, origins }; ; next = running.node.nextStart()) {
    const restart = Promise.withResolvers<undefined>()
    try {
      const lifetime = { restart: () => restart.resolve(undefined), stop: () => told.resolve('ocf stop') }
      const start = { ...next, logger, ...options, ...(await hostOf(options.builtDir)), lifetime }
      running = await startNode(start, starting.signal)
    } catch (error) {
      return reportFailedStart(error, logger)
    }
    greet(running, next, log)
    const reason = await Promise.race([asked, restart.promise])
    log.info(reason === undefined ? 'restarting' : 'stopping', { reason })
    const code = await stopWithin(running, log)
    if (reason === undefined && code === EXIT.ok) continue
    logger.close()
    return code
  }
}

/** What is there only where the command is that of an installed app, which runs under Electron. */
async function hostOf(builtDir: string): Promise<Pick<NodeStart, 'desktop'>> {
  if (!('electron' in process.versions)) return {}
  const { commandEngineStarter } = await import('../electron/command-engine.js')
  return { desktop: { startEngineProcess: await commandEngineStarter(join(builtDir, 'main', 'engine.js')) } }
}

function greet(running: RunningNode, start: { settings: Settings; origins: Origins }, log: Log): void {
  announce(running, start)
  const { node } = running
  log.info('the node serves', { peerId: node.peerId, gateway: node.gatewayUrl(), mode: start.settings.mode })
  if (node.lacksApiKey()) {
    log.warn('the gateway asks for an API key and there is none yet: `ocf keys add NAME` makes one')
  }
}

/** The one line scripts wait for, or the sentences a person wants to read. */
function announce({ node, movedPorts }: RunningNode, start: { settings: Settings; origins: Origins }): void {
  const gateway = node.gatewayUrl() ?? ''
  if (start.settings['ready-json']) {
    const line = {
      event: 'ready',
      peerId: node.peerId,
      gateway,
      dashboard: node.dashboardUrl(),
      multiaddrs: node.multiaddrs(),
    }
    process.stdout.write(`${JSON.stringify(line)}\n`)
    return
  }
  const moved = movedPorts.map(({ setting, from, to }) => `${setting} ${to} (not ${from})`)
  process.stdout.write(
    [
      '',
      `  This node is running.  Stop it with Ctrl-C.`,
      ...(moved.length > 0 ? [`  Default ports are in use, so it has others: ${moved.join(', ')}`] : []),
      '',
      `  For your apps (OpenAI base URL)   ${gateway}/v1`,
      ...(node.lacksApiKey() ? ['  Apps need an API key there         `ocf keys add NAME` makes one'] : []),
      `  Dashboard, in a browser           ${dashboardLine(node, start)}`,
      ...(node.knowsNoOne() ? ['', `  ${NO_PEERS_YET}`] : []),
      '',
      `  Try it:  curl ${gateway}/v1/models`,
      '',
      '',
    ].join('\n'),
  )
}

/** The link holds a secret: a journal or a file gets the way to it instead. */
function dashboardLine(node: OcfNode, { settings, origins }: { settings: Settings; origins: Origins }): string {
  if (process.stdout.isTTY) return node.dashboardUrl()
  const where = origins['data-dir'].kind === 'flag' ? ` --data-dir '${settings['data-dir']}'` : ''
  return `run \`ocf open${where}\` on this machine: it opens the dashboard or prints its link`
}

function reportFailedStart(error: unknown, logger: Logger): number {
  if (error instanceof AppError) process.stderr.write(`ocf: ${error.message}\n${hintFor(error)}`)
  else logger.log.error('the node could not start', { error })
  logger.close()
  return error instanceof AppError && error.code === 'invalid_settings' ? EXIT.usage : EXIT.failed
}

/** What else helps a person whose start failed. */
function hintFor({ code }: AppError): string {
  if (code !== 'data_dir_locked') return ''
  return 'It may be the desktop app. `ocf status` asks the one that runs, and `ocf open` shows its dashboard.\n'
}

async function stopWithin(running: RunningNode, log: Log): Promise<number> {
  let code: number = EXIT.ok
  try {
    await within(running.stop(), STOP_GRACE_MS, () => {
      log.warn('stopping took too long and was cut short', { afterMs: STOP_GRACE_MS })
    })
  } catch (error) {
    log.error('the node did not stop cleanly', { error })
    code = EXIT.failed
  }
  return code
}
