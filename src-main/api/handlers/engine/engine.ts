import type { EngineState } from '#shared/contract/sharing/engine.js'
import type { DiskModels } from '../../../disk-models/index.js'
import type { Engine } from '../../../engine/index.js'
import type { Handlers } from '../../dispatch.js'
import type { FeedSource } from '../../feeds.js'

/** What the topics of the engine read and change. */
export interface EngineControlNeeds {
  disk: Pick<DiskModels, 'state' | 'scan' | 'cancel'>
  engine: Pick<Engine, 'state' | 'subscribe' | 'install' | 'cancelInstall' | 'remove' | 'serve' | 'unserve' | 'measure'>
}

/** `disk.*` and `engine.*`. */
export function createEngineHandlers({
  disk,
  engine,
}: EngineControlNeeds): Pick<Handlers, Extract<keyof Handlers, `${'disk' | 'engine'}.${string}`>> {
  return {
    'disk.get': () => disk.state(),
    'disk.scan'() {
      disk.scan()
      return disk.state()
    },
    'disk.cancel'() {
      disk.cancel()
      return disk.state()
    },
    'engine.get': () => engine.state(),
    'engine.install'({ backend, registry }) {
      engine.install(backend, registry)
      return engine.state().install
    },
    'engine.cancelInstall'() {
      engine.cancelInstall()
      return engine.state().install
    },
    async 'engine.remove'() {
      await engine.remove()
      return engine.state().install
    },
    'engine.serve': (wanted) => engine.serve(wanted),
    'engine.unserve': async ({ id }) => ({ removed: await engine.unserve(id) }),
    'engine.measure': ({ id }) => engine.measure(id),
  }
}

/** The `engine` feed. */
export function createEngineFeed({ engine }: EngineControlNeeds): FeedSource<EngineState> {
  return { snapshot: () => engine.state(), subscribe: (listener) => engine.subscribe(listener) }
}
