import { freemem, totalmem } from 'node:os'
import type { Hardware } from '#shared/records.js'
import type { Service } from '../../base/lifecycle.js'
import { Listeners } from '../../base/listeners.js'
import type { GpuReader } from './gpu-reader.js'

/** What this machine computes with, as its row of the node table tells it. */
export interface HardwareSource extends Service {
  read(): Hardware
  /** Calls `listener` when GPUs became known; returns the way to stop. */
  subscribe(listener: () => void): () => void
}

/** Memory from the operating system, GPUs from their drivers: read once at the start, without holding it up. */
export function createHardware(needs: { gpus: GpuReader }): HardwareSource {
  const listeners = new Listeners()
  let reading: Promise<void> | undefined

  async function readGpus(): Promise<void> {
    const fact = await needs.gpus.read()
    if (fact.known) listeners.notify()
  }

  return {
    name: 'hardware',
    read: () => ({
      ...readMemory(),
      gpus: needs.gpus.last().map(({ name, total_memory, used_memory }) => ({ name, total_memory, used_memory })),
    }),
    subscribe: (listener) => listeners.add(listener),
    start(signal) {
      signal.throwIfAborted()
      reading ??= readGpus()
      return Promise.resolve()
    },
    async stop() {
      listeners.clear()
      await reading
    },
  }
}

const MIB = 1024 * 1024

/** What the operating system tells without asking a driver, in MiB. */
function readMemory(): Omit<Hardware, 'gpus'> {
  const total = totalmem()
  return {
    host_memory: Math.round(total / MIB),
    host_memory_bandwidth: 0,
    host_memory_used: Math.round((total - freemem()) / MIB),
  }
}
