import { homedir } from 'node:os'
import type { EngineControlNeeds } from '../api/index.js'
import type { Clock, MonotonicClock } from '../base/clock.js'
import type { DataFolder } from '../base/data-folder.js'
import type { Service } from '../base/lifecycle.js'
import type { LiveSettings, Settings } from '../config/index.js'
import { createDiskModels } from '../disk-models/index.js'
import {
  createEngine,
  type Engine,
  findRegistry,
  nodeProcessStarter,
  type StartEngineProcess,
} from '../engine/index.js'
import type { Log } from '../logging/index.js'
import type { ServiceRegistry } from '../services/index.js'
import type { GpuReader } from '../services/machine/index.js'
import type { Pause } from '../services/sharing/pause/index.js'

/** Models run from their files. */
export interface ComposedEngine {
  engine: Engine
  control: EngineControlNeeds
  /** Runs behind the registry. */
  service: Service
}

/** The scanner of the disks and the engine, in `engine/` of the data folder. */
export function composeEngine(needs: {
  live: LiveSettings
  registry: ServiceRegistry
  pause: Pause
  gpus: GpuReader
  dataFolder: DataFolder
  clock: Clock
  monotonic: MonotonicClock
  log: Log
  /** The built program of the engine’s processes. */
  entry: string
  /** How the desktop app starts them. */
  start?: StartEngineProcess | undefined
}): ComposedEngine {
  const { live, registry, pause, gpus, dataFolder, clock, monotonic, log } = needs
  const disk = createDiskModels(
    { clock, log },
    { file: dataFolder.path('engine/found.json'), folders: () => live.current['engine.folders'] },
  )
  const engine = createEngine(
    { disk, registry, pause, clock, monotonic, log, start: needs.start ?? nodeProcessStarter({ entry: needs.entry }) },
    {
      dir: dataFolder.path('engine'),
      machine: () => machineOf(gpus),
      registry: (named = live.current['engine.registry']) => registryOf({ 'engine.registry': named }),
      memoryBytes: () => live.current['engine.memory'],
      idleMs: () => live.current['engine.idle'],
    },
  )
  return { engine, control: { disk, engine }, service: withServed(engine, live.current, log) }
}

/** This machine as the engine asks for it. */
export function machineOf(gpus: Pick<GpuReader, 'last'>): {
  platform: NodeJS.Platform
  arch: string
  gpus: string[]
  gpuMemoryBytes: number
} {
  const seen = gpus.last()
  return {
    ...{ platform: process.platform, arch: process.arch },
    gpus: seen.map(({ name }) => name),
    gpuMemoryBytes: seen.reduce((sum, { total_memory: mib }) => sum + mib * 1024 * 1024, 0),
  }
}

/** The package registry by the settings and this person’s npm. */
export function registryOf(settings: Pick<Settings, 'engine.registry'>): Promise<string> {
  return findRegistry({ setting: settings['engine.registry'], env: process.env, home: homedir() })
}

/** Serves what the settings name as soon as the engine runs. A name that is not found is said and holds up nothing. */
function withServed(engine: Engine, settings: Readonly<Settings>, log: Log): Service {
  return {
    name: engine.name,
    async start(signal) {
      await engine.start(signal)
      const visibility = settings['engine.visibility']
      for (const model of settings['engine.serve']) {
        await engine.serve({ model, visibility }).catch((error: unknown) => {
          log.error('a model of engine.serve can’t be served', { model, error })
        })
      }
    },
    stop: () => engine.stop(),
  }
}
