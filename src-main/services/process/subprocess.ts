import type { Readable } from 'node:stream'
import { systemSleepingClock, type SleepingClock } from '../../base/clock.js'
import type { Service } from '../../base/lifecycle.js'
import type { Log } from '../../logging/index.js'
import { startProcessGroup, type ProcessGroup } from './process-group.js'
import { SubprocessRecord } from './subprocess-record.js'

/** What is started, and how patiently it is restarted. */
export interface SubprocessOptions {
  /** A command line of the owner's, run in the shell: `vllm serve …`. Empty where nothing is to run. */
  command: string
  /** Where it is noted what runs, for the next start. */
  dataDir: string
  /** Milliseconds before the first restart (default 1 s); doubles up to `maxRestartMs`. */
  firstRestartMs?: number
  /** Default 60 s. */
  maxRestartMs?: number
  /** A run this long makes the next restart quick again (default 60 s). */
  steadyMs?: number
  /** From the polite request to end to the forced one (default 4 s). */
  graceMs?: number
}

/** A supervised command. */
export interface Subprocess extends Service {
  /** Of the command that runs now. */
  readonly pid: number | undefined
}

const MAX_LINE_LENGTH = 2000

/** Starts the owner's model server, writes its output to the log, restarts it when it ends, and ends it with the node. */
export function createSubprocess(needs: { log: Log; clock?: SleepingClock }, options: SubprocessOptions): Subprocess {
  const log = needs.log.forComponent('subprocess')
  const clock = needs.clock ?? systemSleepingClock
  const { firstRestartMs = 1_000, maxRestartMs = 60_000, steadyMs = 60_000, graceMs = 4_000 } = options
  const record = new SubprocessRecord({ log, clock }, options)
  const stopped = new AbortController()
  let group: ProcessGroup | undefined
  let running: Promise<void> | undefined
  let stopping: Promise<void> | undefined

  async function supervise(): Promise<void> {
    let restartMs = firstRestartMs
    await noted(record.endLeftover(graceMs))
    while (!stopped.signal.aborted && options.command !== '') {
      const startedAtMs = clock.elapsedMs()
      const current = startProcessGroup({ clock }, options.command)
      group = current
      log.info('the subprocess is started', { pid: current.pid })
      logLines(current.stdout, 'stdout')
      logLines(current.stderr, 'stderr')
      if (current.pid !== undefined) await noted(record.note(current.pid))
      const how = await current.ended
      // Workers that outlive their parent would keep the port and the GPU.
      await current.terminate(graceMs)
      await noted(record.forget())
      group = undefined
      if (isStopped()) return
      if (clock.elapsedMs() - startedAtMs >= steadyMs) restartMs = firstRestartMs
      log.warn('the subprocess ended and will be started again', { how, inMs: restartMs })
      await clock.sleep(restartMs, stopped.signal)
      restartMs = Math.min(restartMs * 2, maxRestartMs)
    }
  }

  /** A note that cannot be kept costs the next start its knowledge, and this one nothing. */
  async function noted(change: Promise<void>): Promise<void> {
    await change.catch((error: unknown) => log.warn('it cannot be noted which subprocess runs', { error }))
  }

  function isStopped(): boolean {
    return stopped.signal.aborted
  }

  function logLines(stream: Readable, name: 'stdout' | 'stderr'): void {
    const splitter = createLineSplitter({ maxLength: MAX_LINE_LENGTH })
    const write = (line: string): void => log.info('subprocess output', { stream: name, line })
    stream.on('data', (chunk: Buffer) => splitter.push(chunk).forEach(write))
    stream.on('end', () => splitter.end().forEach(write))
    stream.on('error', (error) => log.warn('the output of the subprocess broke off', { stream: name, error }))
  }

  async function stop(): Promise<void> {
    stopped.abort()
    await group?.terminate(graceMs)
    await running
  }

  return {
    name: 'subprocess',
    get pid() {
      return group?.pid
    },
    start(signal) {
      signal.throwIfAborted()
      running ??= supervise().catch((error: unknown) => log.error('supervising the subprocess failed', { error }))
      return Promise.resolve()
    },
    stop() {
      stopping ??= stop()
      return stopping
    },
  }
}

/** Cuts a stream of bytes into lines. */
export interface LineSplitter {
  push(chunk: Uint8Array): string[]
  /** The last line, where no line break followed it. */
  end(): string[]
}

/** Lines longer than `maxLength` characters are cut there, and the rest of them is dropped. */
export function createLineSplitter(options: { maxLength: number }): LineSplitter {
  const decoder = new TextDecoder()
  let pending = ''

  function take(text: string): string[] {
    const pieces = (pending + text).split('\n')
    // One character more than is shown, so that a cut line is known as such.
    pending = (pieces.pop() ?? '').slice(0, options.maxLength + 1)
    return pieces.map(shown).filter((line) => line !== '')
  }

  function shown(line: string): string {
    const whole = line.endsWith('\r') ? line.slice(0, -1) : line
    return whole.length > options.maxLength ? `${whole.slice(0, options.maxLength)}…` : whole
  }

  return {
    push: (chunk) => take(decoder.decode(chunk, { stream: true })),
    end: () => (pending === '' ? [] : take(`${decoder.decode()}\n`)),
  }
}
