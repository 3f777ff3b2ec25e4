import { randomUUID } from 'node:crypto'
import { open, readFile, rename, rm } from 'node:fs/promises'
import { z } from 'zod'
import { DirectionTotalsSchema } from '#shared/contract/traffic.js'
import type { Log } from '../logging/index.js'
import { createPercentileSketch, type Rollup } from './rollup.js'

const FORMAT = 1
const count = z.number().int().nonnegative()
const BinsSchema = z.array(z.number().int()).max(4096)

const HourSchema = z.object({
  at: count,
  out: DirectionTotalsSchema,
  in: DirectionTotalsSchema,
  local: DirectionTotalsSchema,
  errors: z.array(z.tuple([z.string().max(64), count])).max(64),
  ttfb: BinsSchema,
  duration: BinsSchema,
})

const FileSchema = z.object({ format: z.literal(FORMAT), hours: z.array(HourSchema).max(1000) })

/** Reads the kept hours; none where there is no file. One that can't be understood is moved aside and logged. */
export async function readHistoryFile(path: string, log: Log): Promise<Rollup[]> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') log.warn('the traffic history can not be read', { error })
    return []
  }
  const parsed = FileSchema.safeParse(parseJson(text))
  if (parsed.success) {
    return parsed.data.hours.map(({ at, errors, ttfb, duration, ...totals }) => ({
      ...totals,
      startMs: at,
      errors: new Map(errors),
      ttfb: createPercentileSketch(ttfb),
      duration: createPercentileSketch(duration),
    }))
  }
  await moveAside(path, log)
  return []
}

/** Writes the hours (mode 0600): the file changes as a whole or not at all. */
export async function writeHistoryFile(path: string, hours: readonly Rollup[]): Promise<void> {
  const file: z.output<typeof FileSchema> = {
    format: FORMAT,
    hours: hours.map(({ startMs, out, in: inwards, local, errors, ttfb, duration }) => ({
      at: startMs,
      out,
      in: inwards,
      local,
      errors: [...errors],
      ttfb: ttfb.bins(),
      duration: duration.bins(),
    })),
  }
  const temporary = `${path}.${randomUUID()}.tmp`
  try {
    const handle = await open(temporary, 'wx', 0o600)
    try {
      await handle.writeFile(JSON.stringify(file))
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    throw error
  }
}

async function moveAside(path: string, log: Log): Promise<void> {
  const aside = `${path}.corrupt`
  try {
    await rename(path, aside)
    log.warn('the traffic history could not be understood and was moved aside; a new one begins', { movedTo: aside })
  } catch (error) {
    log.warn('the traffic history could not be understood; a new one begins', { error })
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // The schema says no to it.
  }
}
