import type { Log } from '../logging/index.js'

/** Something with a life of its own: sockets, timers, files. Everything it opens dies in {@link Service.stop}. */
export interface Service {
  /** For logs and errors: `"gateway"`, `"node-table"`. */
  readonly name: string
  /** Resolves when it can be used. Rejects, having undone a half start, when it can't or when `signal` aborts. */
  start(signal: AbortSignal): Promise<void>
  /** Idempotent: stopping twice is one stop, and stopping before a start does nothing. */
  stop(): Promise<void>
}

/** A stack of services: started in order, stopped in reverse, a half start undone. */
export function createServiceGroup(
  needs: { log: Log },
  options: { name: string; services: readonly Service[] },
): Service {
  const { log } = needs
  const started: Service[] = []
  let stopping: Promise<void> | undefined

  async function stopStarted(): Promise<void> {
    for (let service = started.pop(); service !== undefined; service = started.pop()) {
      try {
        await service.stop()
      } catch (error) {
        log.error('a service failed to stop', { service: service.name, error })
      }
    }
  }

  return {
    name: options.name,
    async start(signal) {
      for (const service of options.services) {
        try {
          signal.throwIfAborted()
          await service.start(signal)
          started.push(service)
        } catch (error) {
          await stopStarted()
          throw error
        }
      }
    },
    stop() {
      stopping ??= stopStarted()
      return stopping
    },
  }
}
