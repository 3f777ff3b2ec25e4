import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createNode, type NodeNeeds, type OcfNode } from './node.js'
import type { Origins, Settings } from '../config/index.js'
import { openDataFolder, type DataFolder } from '../base/data-folder.js'
import type { Service } from '../base/lifecycle.js'
import { tuneGarbageCollection } from '../base/garbage-collection.js'
import { createLogFile } from '../logging/log-file.js'
import type { Logger } from '../logging/logger.js'
import { loadIdentity } from '../p2p/identity/identity.js'
import { tidyMemoryAfterStart } from '../base/tidy-memory.js'

/** What a node is started from. */
export interface NodeStart {
  settings: Settings
  origins: Origins
  logger: Logger
  /** The folder of the built program (`out`), with the dashboard in `renderer`. */
  builtDir: string
  /** What the desktop app around the node brings along. */
  desktop?: Pick<NodeNeeds, 'app' | 'updates' | 'desktopSharing'>
}

/** A node that serves, with the folder it holds. */
export interface RunningNode {
  node: OcfNode
  /** Withdraws, drains, closes; idempotent. */
  stop(): Promise<void>
}

/** After this long a stop that hangs is cut. */
export const STOP_GRACE_MS = 4_500

/**
 * Opens the data folder and starts the node in it. A failed start leaves nothing open.
 * @throws AppError `data_dir_foreign`, `data_dir_locked`, `data_dir_unusable`, `identity_unreadable`, `port_in_use`
 */
export async function startNode(start: NodeStart, signal: AbortSignal): Promise<RunningNode> {
  const { settings, origins, logger, builtDir, desktop } = start
  const dataFolder = await openDataFolder(settings['data-dir'], { cleanslate: settings.cleanslate })
  const logFile = createLogFile({ ring: logger.ring, log: logger.log }, { dir: dataFolder.path('logs') })
  try {
    await logFile.start(signal)
    const identity = await loadIdentity({ dataDir: dataFolder.dir, seed: settings.seed }, logger.log)
    const node = createNode({
      settings,
      origins,
      dataFolder,
      identity,
      logger,
      rendererDir: builtRenderer(builtDir),
      docsDir: join(builtDir, 'docs'),
      ...desktop,
    })
    await node.start(signal)
    return { node, stop: createStop(node, logFile, dataFolder) }
  } catch (error) {
    await logFile.stop()
    await dataFolder.close()
    throw error
  }
}

function createStop(node: OcfNode, logFile: Service, dataFolder: DataFolder): () => Promise<void> {
  let stopping: Promise<void> | undefined
  const untune = tuneGarbageCollection()
  const callOffTidying = tidyMemoryAfterStart()
  async function stop(): Promise<void> {
    callOffTidying()
    untune()
    try {
      await node.stop()
    } finally {
      await logFile.stop()
      await dataFolder.close()
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
