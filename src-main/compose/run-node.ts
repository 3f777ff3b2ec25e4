import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { AppError } from '#shared/errors.js'
import { assertPrivateSettings } from '../base/data-folder/private-paths.js'
import { openDataFolder, type DataFolder } from '../base/data-folder.js'
import type { Service } from '../base/lifecycle.js'
import { tuneGarbageCollection } from '../base/memory/garbage-collection.js'
import { shortageError, tooManyOpenFiles } from '../base/system-error.js'
import type { Origins, Settings } from '../config/index.js'
import { createLogFile, type Logger } from '../logging/index.js'
import { loadIdentity } from '../p2p/index.js'
import { readOpenFiles } from '../services/machine/index.js'
import { keepCompiled } from './compiled/keeping.js'
import type { Compiled } from './compiled/whole-program.js'
import { withFreePorts, type FreePorts, type MovedPort } from './free-ports.js'
import { createNode, type NodeNeeds, type OcfNode } from './node.js'

/** What a node is started from. */
export interface NodeStart {
  settings: Settings
  origins: Origins
  logger: Logger
  /** The folder of the built program (`out`), with the dashboard in `renderer`. */
  builtDir: string
  /** Keeps what V8 has compiled, for the next start. */
  keepCompiled?: (compiled: Compiled) => void
  /** What the desktop app around the node brings along. */
  desktop?: Pick<NodeNeeds, 'app' | 'updates' | 'desktopSharing' | 'startEngineProcess'>
  /** See {@link NodeNeeds}. */
  lifetime?: NodeNeeds['lifetime']
}

/** A node that serves, with the folder it holds. */
export interface RunningNode {
  node: OcfNode
  /** Default ports that were in use when it started. */
  movedPorts: readonly MovedPort[]
  /** Withdraws, drains, closes; idempotent. */
  stop(): Promise<void>
}

/** After this long a stop that hangs is cut. */
export const STOP_GRACE_MS = 4_500

/** QUIC's native library aborts the process when it finds no descriptor at its start; a node without peers opens 50. */
const FEWEST_FREE_FILES = 24

/** Another program can take a port between the moment it was found free and the moment this node listens there. */
const MAX_PORT_CHOICES = 3

/**
 * Opens the data folder and starts the node in it, on free ports where default ones are in use. A failed start leaves
 * nothing open.
 * @throws AppError `invalid_settings`, `data_dir_foreign`, `data_dir_locked`, `data_dir_unusable`, `disk_full`,
 * `too_many_open_files`, `identity_unreadable`, `port_in_use`, `port_not_permitted`, `address_not_available`
 */
export async function startNode(start: NodeStart, signal: AbortSignal): Promise<RunningNode> {
  const { settings, logger } = start
  const { log } = logger
  const { limit, inUse = 0 } = readOpenFiles()
  if (limit !== undefined && limit - inUse < FEWEST_FREE_FILES) throw tooManyOpenFiles()
  await assertPrivateSettings(
    settings.config,
    Object.values(start.origins).some(({ kind }) => kind === 'file'),
  )
  const dataFolder = await openDataFolder(settings['data-dir'], { cleanslate: settings.cleanslate })
  const logFile = createLogFile({ ring: logger.ring, log }, { dir: dataFolder.path('logs') })
  try {
    await logFile.start(signal)
    const identity = await loadIdentity({ dataDir: dataFolder.dir, seed: settings.seed }, log)
    for (let choice = 1; ; choice += 1) {
      const ports = await withFreePorts(start)
      const node = composeNode({ ...start, ...ports }, { dataFolder, identity })
      try {
        await node.start(signal)
      } catch (error) {
        if (choice < MAX_PORT_CHOICES && isChosenPortTaken(error, ports)) continue
        throw error
      }
      if (ports.moved.length > 0) log.warn('default ports are in use, so free ones are used', portFields(ports.moved))
      return { node, movedPorts: ports.moved, stop: createStop(start, { node, logFile, dataFolder }) }
    }
  } catch (error) {
    await logFile.stop()
    await dataFolder.close()
    // Whatever was at work when it ran out, it is the disk or the limit that has to be seen to.
    throw shortageError(error, settings['data-dir']) ?? error
  }
}

function composeNode(start: NodeStart, opened: Pick<NodeNeeds, 'dataFolder' | 'identity'>): OcfNode {
  const { settings, origins, logger, builtDir, desktop, lifetime } = start
  return createNode({
    ...{ settings, origins, logger, lifetime, ...opened },
    rendererDir: builtRenderer(builtDir),
    docsDir: join(builtDir, 'docs'),
    engineEntry: join(builtDir, 'main', 'engine.js'),
    ...desktop,
  })
}

function isChosenPortTaken(error: unknown, { origins }: FreePorts): boolean {
  if (!(error instanceof AppError) || error.code !== 'port_in_use') return false
  return Object.entries(origins).some(([name, { kind }]) => name === error.param && kind === 'default')
}

const portFields = (moved: readonly MovedPort[]): Record<string, string> =>
  Object.fromEntries(moved.map(({ setting, from, to }) => [setting, `${from} -> ${to}`]))

function createStop(
  { keepCompiled: keep = () => undefined }: NodeStart,
  { node, logFile, dataFolder }: { node: OcfNode; logFile: Service; dataFolder: DataFolder },
): () => Promise<void> {
  let stopping: Promise<void> | undefined
  const untune = tuneGarbageCollection(() => node.requestsRunning())
  const stopKeeping = keepCompiled({
    keep,
    running: () => node.requestsRunning(),
    hasServed: () => node.hasServed(),
  })
  async function stop(): Promise<void> {
    untune()
    try {
      await node.stop()
    } finally {
      await logFile.stop()
      await dataFolder.close()
      stopKeeping()
    }
  }
  return () => (stopping ??= stop())
}

/** The built dashboard; null where it was not built. */
function builtRenderer(builtDir: string): string | null {
  const dir = join(builtDir, 'renderer')
  return existsSync(join(dir, 'index.html')) ? dir : null
}

/**
 * Resolves on the first SIGINT or SIGTERM (or when the process that launched this one is gone); a second signal leaves
 * the process at once.
 */
export async function untilAskedToStop(): Promise<string> {
  const asked = new AbortController()
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  let reason = ''
  for (const name of signals) {
    process.on(name, () => {
      if (asked.signal.aborted) process.exit(130)
      reason = name
      asked.abort()
    })
  }
  if (process.channel !== undefined) {
    process.once('disconnect', () => {
      reason = 'the launcher is gone'
      asked.abort()
    })
    // Waiting for the launcher must not keep the process alive.
    process.channel.unref()
  }
  await once(asked.signal, 'abort')
  return reason
}
