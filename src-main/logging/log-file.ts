import { createStream, type RotatingFileStream } from 'rotating-file-stream'
import type { LogLine } from '#shared/contract/node/logs.js'
import { BoundedMap } from '../base/bounded-map.js'
import { monotonicClock, type MonotonicClock } from '../base/clock.js'
import type { Service } from '../base/lifecycle.js'
import { fullBucket, refilled, type Bucket, type BucketRate } from '../base/token-bucket.js'
import type { LogRing } from './ring.js'
import type { Log } from './index.js'

/** The file lines go to now; older ones are `ocf.log.1` … `ocf.log.4`. */
const LOG_FILE = 'ocf.log'

const MAX_FILES = 5
const MAX_SIZE = '10M'

/** Text that waits for a slow disk; beyond it lines are left out of the file. */
const MAX_WAITING_BYTES = 1024 * 1024

/** Lines of one sentence that are written: what strangers can bring about again and again pushes nothing else out. */
const PER_SENTENCE: BucketRate = { capacity: 500, refillPerS: 1 }
const MAX_SENTENCES = 1000

/** A stop waits at most this long for the disk. */
const CLOSE_WITHIN_MS = 1_000

/**
 * Keeps the log in `dir` as JSON lines (mode 0600), five files of 10 MB: what the ring has so far and each line to come.
 * A sentence that comes too often is left out, and how often stands in its next line; not those of the level `debug`.
 * A disk that can't be written is told once; the node goes on without the file.
 */
export function createLogFile(
  needs: { ring: LogRing; log: Log; monotonic?: MonotonicClock },
  options: { dir: string; maxSize?: `${number}${'K' | 'M'}` },
): Service {
  const { ring, monotonic = monotonicClock } = needs
  const log = needs.log.forComponent('log-file')
  let stream: RotatingFileStream | undefined
  let unsubscribe: (() => void) | undefined
  let stopping: Promise<void> | undefined
  const sentences = new BoundedMap<string, { bucket: Bucket; leftOut: number }>(MAX_SENTENCES)

  function giveUp(error: Error): void {
    if (stream === undefined) return
    unsubscribe?.()
    stream.destroy()
    stream = undefined
    log.warn('the log can not be written to its file', { dir: options.dir, error })
  }

  function write(line: LogLine): void {
    if (stream === undefined || stream.writableLength >= MAX_WAITING_BYTES) return
    const leftOut = line.level === 'debug' ? 0 : takeTurn(`${line.component}: ${line.message}`)
    if (leftOut === undefined) return
    stream.write(jsonLine(leftOut === 0 ? line : { ...line, fields: withLeftOut(line.fields, leftOut) }))
  }

  /** How many lines of this sentence were left out before this one; undefined where it is left out itself. */
  function takeTurn(sentence: string): number | undefined {
    const nowMs = monotonic.elapsedMs()
    const { bucket, leftOut } = sentences.get(sentence) ?? { bucket: fullBucket(PER_SENTENCE, nowMs), leftOut: 0 }
    const level = refilled(bucket, PER_SENTENCE, nowMs)
    const isTaken = level.tokens >= 1
    sentences.set(sentence, {
      bucket: isTaken ? { ...level, tokens: level.tokens - 1 } : level,
      leftOut: isTaken ? 0 : leftOut + 1,
    })
    return isTaken ? leftOut : undefined
  }

  async function close(): Promise<void> {
    unsubscribe?.()
    const open = stream
    stream = undefined
    if (open === undefined) return
    await new Promise<void>((resolve) => {
      const limit = setTimeout(resolve, CLOSE_WITHIN_MS)
      open.once('close', () => {
        clearTimeout(limit)
        resolve()
      })
      open.end()
    })
  }

  return {
    name: 'log-file',
    start() {
      stream = createStream(LOG_FILE, {
        path: options.dir,
        size: options.maxSize ?? MAX_SIZE,
        rotate: MAX_FILES - 1,
        mode: 0o600,
      })
      stream.on('error', giveUp)
      stream.on('warning', giveUp)
      for (const line of ring.lines()) write(line)
      unsubscribe = ring.subscribe(write)
      return Promise.resolve()
    },
    stop() {
      stopping ??= close()
      return stopping
    },
  }
}

const withLeftOut = (fields: string, leftOut: number): string =>
  JSON.stringify({ ...(fields === '' ? {} : (JSON.parse(fields) as object)), leftOut })

/** Keys of every line; a field of that name gets an underscore, as in the JSON lines on standard error. */
const RESERVED = /"(?:level|time|component|msg)":/

/** The same shape as `log-format: json` on standard error. */
function jsonLine({ atMs, level, component, message, fields }: LogLine): string {
  const head = JSON.stringify({ level, time: new Date(atMs).toISOString(), component, msg: message })
  return fields === '' ? `${head}\n` : `${head.slice(0, -1)},${withoutReserved(fields).slice(1)}\n`
}

function withoutReserved(fields: string): string {
  if (!RESERVED.test(fields)) return fields
  const entries = Object.entries(JSON.parse(fields) as Record<string, unknown>)
  return JSON.stringify(
    Object.fromEntries(entries.map(([key, value]) => [RESERVED.test(`"${key}":`) ? `${key}_` : key, value])),
  )
}
