import { createServiceGroup, type Service } from '../../base/lifecycle.js'
import type { Log } from '../../logging/index.js'

/** Which way a request came in: from this machine’s apps, or from another peer over libp2p. */
export type Listener = 'local' | 'peer'

/** A way into the gateway that can be closed without cutting requests at work. */
export interface DrainableListener extends Service {
  /** Accepts nothing more; resolves when the last response is complete, at the latest after `graceMs`. */
  drain(graceMs: number): Promise<void>
}

/** Running responses get this long; with what comes before and after it a stop stays within five seconds. */
const DRAIN_MS = 3_000

/**
 * Both listeners and the clients behind them as one service. At its stop the listeners drain side by side; then the
 * clients are closed, by which streams that still run end in an error event while their clients are there to read it;
 * then all connections are cut.
 */
export function createListeners(
  needs: { clients: readonly Service[]; listeners: readonly DrainableListener[]; log: Log },
  options: { drainMs: number } = { drainMs: DRAIN_MS },
): Service {
  const { clients, listeners, log } = needs
  const group = createServiceGroup({ log }, { name: 'listeners', services: [...clients, ...listeners] })
  let started = false
  let stopping: Promise<void> | undefined

  async function stop(): Promise<void> {
    if (started) {
      const results = await Promise.allSettled(listeners.map((listener) => listener.drain(options.drainMs)))
      results.push(...(await Promise.allSettled(clients.map((client) => client.stop()))))
      for (const result of results) {
        if (result.status === 'rejected') log.error('a listener did not drain', { error: result.reason as unknown })
      }
    }
    await group.stop()
  }

  return {
    name: group.name,
    async start(signal) {
      await group.start(signal)
      started = true
    },
    stop() {
      stopping ??= stop()
      return stopping
    },
  }
}
