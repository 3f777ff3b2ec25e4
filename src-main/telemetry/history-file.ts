import { rename } from 'node:fs/promises'
import { z } from 'zod'
import { DirectionTotalsSchema } from '#shared/contract/node/traffic.js'
import { readJsonFile, writeJsonFile } from '../base/json-file.js'
import type { Log } from '../logging/index.js'
import { createPercentileSketch, DIRECTIONS, type Rollup } from './rollup.js'

const FORMAT = 1
const count = z.number().int().nonnegative()
const BinsSchema = z.array(z.number().int()).max(4096)

const HourSchema = z.object({
  at: count,
  out: DirectionTotalsSchema,
  in: DirectionTotalsSchema,
  local: DirectionTotalsSchema,
  // Left out where there are none, as in files of the first versions.
  unanswered: count.default(0),
  errors: z.array(z.tuple([z.string().max(64), count])).max(64),
  ttfb: BinsSchema,
  // Left out where there are none, as in files of the first versions.
  ttfbOf: z.object({ out: BinsSchema, in: BinsSchema, local: BinsSchema }).partial().default({}),
  duration: BinsSchema,
})

const FileSchema = z.object({ format: z.literal(FORMAT), hours: z.array(HourSchema).max(1000) })

/** Reads the kept hours; none where there is no file. One that can't be understood is moved aside and logged. */
export async function readHistoryFile(path: string, log: Log): Promise<Rollup[]> {
  const content = await readJsonFile(path, FileSchema).catch((error: unknown) => {
    log.warn('the traffic history can not be read', { error })
    return undefined
  })
  if (content?.kind === 'broken') await moveAside(path, log)
  if (content?.kind !== 'read') return []
  return content.value.hours.map(({ at, errors, ttfb, ttfbOf, duration, ...totals }) => ({
    ...totals,
    startMs: at,
    errors: new Map(errors),
    ttfb: createPercentileSketch(ttfb),
    ttfbOf: mapDirections(ttfbOf, (bins) => createPercentileSketch(bins)),
    duration: createPercentileSketch(duration),
  }))
}

/** Writes the hours (mode 0600): the file changes as a whole or not at all. */
export async function writeHistoryFile(path: string, hours: readonly Rollup[]): Promise<void> {
  const file: z.input<typeof FileSchema> = {
    format: FORMAT,
    hours: hours.map(({ startMs, out, in: inwards, local, unanswered, errors, ttfb, ttfbOf, duration }) => ({
      at: startMs,
      out,
      in: inwards,
      local,
      ...(unanswered === 0 ? {} : { unanswered }),
      errors: [...errors],
      ttfb: ttfb.bins(),
      ...(Object.keys(ttfbOf).length === 0 ? {} : { ttfbOf: mapDirections(ttfbOf, (sketch) => sketch.bins()) }),
      duration: duration.bins(),
    })),
  }
  await writeJsonFile(path, file, { indent: 0 })
}

/** What there is of some directions, each made into another. */
function mapDirections<From, To>(
  of: Partial<Record<(typeof DIRECTIONS)[number], From>>,
  change: (from: From) => To,
): Partial<Record<(typeof DIRECTIONS)[number], To>> {
  const changed: Partial<Record<(typeof DIRECTIONS)[number], To>> = {}
  for (const direction of DIRECTIONS) {
    const from = of[direction]
    if (from !== undefined) changed[direction] = change(from)
  }
  return changed
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
