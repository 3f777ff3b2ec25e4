import { z } from 'zod'
import type { GpuFacts } from './index.js'

const MIB = 1024 * 1024

/** Lines of `name, total MiB, used MiB, percent`; undefined when there was no answer. */
export function parseNvidiaSmi(output: string | undefined): GpuFacts[] | undefined {
  if (output === undefined) return undefined
  return output.split('\n').flatMap((line): GpuFacts[] => {
    const cells = line.split(',').map((cell) => cell.trim())
    const [total, used, busy] = cells.slice(-3).map(Number)
    const name = cells.slice(0, -3).join(', ').slice(0, 128)
    if (name === '' || total === undefined || !Number.isFinite(total)) return []
    return [
      {
        name,
        total_memory: total,
        used_memory: used !== undefined && Number.isFinite(used) ? used : 0,
        busyPercent: busy !== undefined && Number.isFinite(busy) ? busy : null,
      },
    ]
  })
}

const RocmSchema = z.record(z.string(), z.record(z.string(), z.unknown()))

/** The JSON of rocm-smi: one object per card, with keys for people. */
export function parseRocmSmi(output: string | undefined): GpuFacts[] | undefined {
  if (output === undefined) return undefined
  const cards = RocmSchema.safeParse(jsonOf(output)).data
  if (cards === undefined) return undefined
  return Object.entries(cards).flatMap(([card, facts]): GpuFacts[] => {
    const total = numberIn(facts, /total memory/i)
    if (!card.startsWith('card') || total === undefined) return []
    return [
      {
        name: textIn(facts, /card (?:series|model)/i)?.slice(0, 128) ?? 'AMD GPU',
        total_memory: Math.round(total / MIB),
        used_memory: Math.round((numberIn(facts, /used memory/i) ?? 0) / MIB),
        busyPercent: numberIn(facts, /gpu use/i) ?? null,
      },
    ]
  })
}

function textIn(facts: Record<string, unknown>, name: RegExp): string | undefined {
  const value = Object.entries(facts).find(([key]) => name.test(key))?.[1]
  return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined
}

function numberIn(facts: Record<string, unknown>, name: RegExp): number | undefined {
  const value = Number(textIn(facts, name))
  return Number.isFinite(value) ? value : undefined
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined // A warning in place of the figures.
  }
}
