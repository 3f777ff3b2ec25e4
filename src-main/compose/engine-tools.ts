import type { DiskScan } from '#shared/contract/sharing/disk-models.js'
import type { EngineInstall } from '#shared/contract/sharing/engine.js'
import { monotonicClock, systemClock } from '../base/clock.js'
import { openDataFolder } from '../base/data-folder.js'
import type { EngineTools } from '../cli/io.js'
import { createDiskModels } from '../disk-models/index.js'
import { createInstaller } from '../engine/index.js'
import { createLogger, type Log } from '../logging/index.js'
import { createGpuReader } from '../services/machine/index.js'
import { machineOf, registryOf } from './engine.js'

/** What `ocf` does with the engine and the disks where no node runs. */
export const engineTools: EngineTools = {
  async scan(settings, onProgress) {
    const dataFolder = await openDataFolder(settings['data-dir'], { cleanslate: false })
    try {
      const disk = createDiskModels(
        { clock: systemClock, log: quietLog() },
        { file: dataFolder.path('engine/found.json'), folders: () => settings['engine.folders'] },
      )
      return await withProgress<DiskScan>(disk, onProgress, async () => {
        disk.scan()
        await disk.settled()
      })
    } finally {
      await dataFolder.close()
    }
  },
  async withInstaller(settings, onProgress, work) {
    const dataFolder = await openDataFolder(settings['data-dir'], { cleanslate: false })
    try {
      const gpus = createGpuReader({ monotonic: monotonicClock })
      await gpus.read()
      const installer = createInstaller(
        { log: quietLog(), changed: () => onProgress(installer.state()) },
        { dir: dataFolder.path('engine'), machine: () => machineOf(gpus), registry: () => registryOf(settings) },
      )
      await installer.start(new AbortController().signal)
      await installer.findSource()
      try {
        return await work({
          state: () => installer.state(),
          async install(backend) {
            installer.install(backend)
            await installer.settled()
          },
          remove: () => installer.remove(),
        })
      } finally {
        await installer.stop()
      }
    } finally {
      await dataFolder.close()
    }
  },
}

async function withProgress<State extends DiskScan | EngineInstall>(
  source: { state(): State; subscribe(listener: () => void): () => void },
  onProgress: (state: State) => void,
  work: () => Promise<void>,
): Promise<State> {
  const stop = source.subscribe(() => onProgress(source.state()))
  await work()
  stop()
  return source.state()
}

function quietLog(): Log {
  return createLogger({ level: 'silent', format: 'text', destination: process.stderr, colour: false }).log
}
