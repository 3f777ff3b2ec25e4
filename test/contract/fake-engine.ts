import type { DiskScan } from '#shared/contract/sharing/disk-models.js'
import type { EngineInstall, ServedModel } from '#shared/contract/sharing/engine.js'
import type { EngineControlNeeds } from '../../src-main/api/index.js'
import { Listeners } from '../../src-main/base/listeners.js'

const INSTALL: EngineInstall = {
  ...{ state: 'installed', version: '1.0.0', backend: 'cpu', source: 'registry.test', problem: null },
  offers: [{ backend: 'cpu', downloadBytes: 47_000_000, packages: 73 }],
  ...{ doneBytes: 0, totalBytes: 0, sizeBytes: 100_000_000 },
}
const SCAN: DiskScan = { scanning: false, seen: 0, read: 0, finishedAtMs: null, models: [], problem: null }
const SERVED: ServedModel = {
  ...{ id: 'abc', name: 'tiny', path: '/models/tiny.gguf', visibility: 'me', state: 'idle', problem: null },
  settings: { contextTokens: null, slots: null, gpuLayers: null, keepLoaded: false },
  ...{ running: null, measured: null, measuring: false },
}

/** An installed engine that serves nothing yet. */
export function createFakeEngine(): EngineControlNeeds {
  const listeners = new Listeners()
  let served: ServedModel[] = []
  return {
    disk: { state: () => SCAN, scan: () => listeners.notify(), cancel: () => undefined },
    engine: {
      state: () => ({ disk: SCAN, install: INSTALL, served, serviceId: null, budgetBytes: 8e9 }),
      subscribe: (listener) => listeners.add(listener),
      install: () => undefined,
      cancelInstall: () => undefined,
      remove: () => Promise.resolve(),
      serve({ visibility = 'me' }) {
        const model: ServedModel = { ...SERVED, visibility }
        served = [model]
        listeners.notify()
        return Promise.resolve(model)
      },
      unserve: () => Promise.resolve(true),
      measure: () => Promise.resolve({ ...SERVED, measured: { tokensPerS: 20, promptMsPer1000: 900, atMs: 1 } }),
    },
  }
}
