import { setTimeout as wait } from 'node:timers/promises'
import { AppError } from '#shared/errors.js'
import { EXIT, type CliIo, type ControlClient } from '../../io.js'

/** A node that stops cuts what hangs after 4.5 s; a busy machine takes longer. */
const STOPPED_WITHIN_MS = 15_000
const CHECK_EVERY_MS = 100

/**
 * `ocf stop`: ends the running node and waits until it is gone. Rejects with `node_not_running` where none runs, and with
 * `upstream_timeout` where it does not end.
 */
export async function runStop({ io, client }: { io: CliIo; client: ControlClient }): Promise<number> {
  const { stopping, pid } = await client.call('node.stop', {})
  if (!stopping) {
    io.stderr.write('This node can’t be stopped from here. End the program that runs it.\n')
    return EXIT.failed
  }
  const deadlineMs = performance.now() + STOPPED_WITHIN_MS
  while (isAlive(pid)) {
    if (performance.now() > deadlineMs)
      throw new AppError('upstream_timeout', 'The node was asked to stop, and still runs. `ocf logs` may say why.')
    await wait(CHECK_EVERY_MS)
  }
  io.stdout.write('The node has stopped.\n')
  return EXIT.ok
}

/** Asks no node: one that stops closes its listeners first, and then lets answers end. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}
