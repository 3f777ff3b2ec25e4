import { randomBytes } from 'node:crypto'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Log } from '../../logging/index.js'
import { type EngineJob, JOB_VARIABLE, type WorkerEvent, WorkerEventSchema } from '../worker/job.js'
import type { Ending } from './failures.js'

/** A process of the engine as its host starts it. */
export interface EngineProcess {
  readonly pid: number | undefined
  readonly stdout: Readable
  readonly stderr: Readable
  /** How it ended: `exit code 3`, `signal SIGKILL`. Never rejects. */
  readonly ended: Promise<string>
  kill(signal: 'SIGTERM' | 'SIGKILL'): void
}

/** Starts such a process with these variables added to what it inherits. It ends with this one, however that ends. */
export interface StartEngineProcess {
  (variables: Record<string, string>): EngineProcess
  /** Its standard input closes with this process; otherwise the system sees to its end. */
  readonly endsWithInput: boolean
}

/** What a loaded model tells of itself. */
export type Ready = Extract<WorkerEvent, { event: 'ready' }>

/** A process that has loaded its model, or is about to. */
export interface ModelProcess {
  readonly pid: number | undefined
  readonly token: string
  /** Rejects never: what it could not is told by {@link ModelProcess.ended}. */
  readonly ready: Promise<Ready | undefined>
  readonly ended: Promise<Ending>
  /** Ends it; by force where it takes longer than a moment. */
  stop(): Promise<void>
}

const GRACE_MS = 1_000
const LAST_WORDS_CHARS = 4_000

/** Starts a process for a model. What it writes to standard error goes to the log, shortened. */
export function startModelProcess(
  needs: { start: StartEngineProcess; log: Log },
  job: Omit<EngineJob, 'token' | 'endsWithInput'>,
): ModelProcess {
  const { log } = needs
  const token = randomBytes(24).toString('base64url')
  const child = needs.start({
    [JOB_VARIABLE]: JSON.stringify({ ...job, token, endsWithInput: needs.start.endsWithInput }),
  })
  const ready = Promise.withResolvers<Ready | undefined>()
  let isReady = false
  let said: string | undefined
  let lastWords = ''
  createInterface(child.stdout).on('line', (line) => {
    const event = readEvent(line)
    if (event?.event === 'failed') said = event.reason
    if (event?.event !== 'ready') return
    isReady = true
    ready.resolve(event)
  })
  child.stdout.on('error', () => undefined)
  child.stderr.on('error', () => undefined)
  child.stderr.on('data', (chunk: Buffer) => {
    lastWords = `${lastWords}${chunk.toString('utf8')}`.slice(-LAST_WORDS_CHARS)
  })
  const ended = child.ended.then((how): Ending => {
    ready.resolve(undefined)
    const isExpected = how === 'exit code 0' || how === 'signal SIGTERM'
    // Once it answers requests, its words might hold some of theirs.
    const words = isReady ? {} : { lastWords: lastWords.slice(-500) }
    if (!isExpected) log.warn('a process of the engine ended', { how, ...words })
    return { how, wasLoading: !isReady, said, lastWords }
  })
  async function stop(): Promise<void> {
    child.kill('SIGTERM')
    const force = setTimeout(() => child.kill('SIGKILL'), GRACE_MS)
    await ended
    clearTimeout(force)
  }
  return { pid: child.pid, token, ready: ready.promise, ended, stop }
}

function readEvent(line: string): WorkerEvent | undefined {
  try {
    return WorkerEventSchema.safeParse(JSON.parse(line)).data
  } catch (error) {
    // A library that writes to standard output.
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}
