import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { MonotonicClock } from '../../base/clock.js'
import { known, runTool, unknown, type Fact, type GpuFacts, type RunTool } from './facts.js'

/** The GPUs of this machine. */
export interface GpuReader {
  /** From the drivers' tools or the kernel, at most `maxAgeMs` old. */
  read(maxAgeMs?: number): Promise<Fact<readonly GpuFacts[]>>
  /** What was read last; empty before. */
  last(): readonly GpuFacts[]
}

const MAX_AGE_MS = 10_000
const MAX_GPUS = 16
const MIB = 1024 * 1024

/** Asks nvidia-smi, then rocm-smi, then the kernel's files; a tool that was missing is not tried again. */
export function createGpuReader(
  needs: { monotonic: MonotonicClock; run?: RunTool },
  options: { drmDir?: string } = {},
): GpuReader {
  const run = needs.run ?? runTool
  const drmDir = options.drmDir ?? '/sys/class/drm'
  let lastRead: { atMs: number; fact: Fact<readonly GpuFacts[]> } | undefined
  let reading: Promise<Fact<readonly GpuFacts[]>> | undefined

  const sources: { name: string; read: () => Promise<GpuFacts[] | undefined>; works: boolean | undefined }[] = [
    {
      name: 'nvidia-smi',
      works: undefined,
      read: async () =>
        parseNvidiaSmi(
          await run('nvidia-smi', [
            '--query-gpu=name,memory.total,memory.used,utilization.gpu,temperature.gpu',
            '--format=csv,noheader,nounits',
          ]),
        ),
    },
    {
      name: 'rocm-smi',
      works: undefined,
      read: async () =>
        parseRocmSmi(
          await run('rocm-smi', ['--showproductname', '--showmeminfo', 'vram', '--showuse', '--showtemp', '--json']),
        ),
    },
    { name: 'the kernel', works: undefined, read: () => readKernelGpus(drmDir) },
  ]

  async function readNow(): Promise<Fact<readonly GpuFacts[]>> {
    for (const source of sources) {
      if (source.works === false) continue
      const gpus = await source.read()
      source.works ??= gpus !== undefined
      if (gpus !== undefined && gpus.length > 0) return known(gpus.slice(0, MAX_GPUS))
    }
    return unknown('neither a driver’s tool nor the system tells about a GPU')
  }

  return {
    async read(maxAgeMs = MAX_AGE_MS) {
      if (lastRead !== undefined && needs.monotonic.elapsedMs() - lastRead.atMs < maxAgeMs) return lastRead.fact
      reading ??= readNow().finally(() => (reading = undefined))
      const fact = await reading
      lastRead = { atMs: needs.monotonic.elapsedMs(), fact }
      return fact
    },
    last: () => (lastRead?.fact.known === true ? lastRead.fact.value : []),
  }
}

/** Lines of `name, total MiB, used MiB, percent, degrees`; undefined when there was no answer. */
function parseNvidiaSmi(output: string | undefined): GpuFacts[] | undefined {
  if (output === undefined) return undefined
  return output.split('\n').flatMap((line): GpuFacts[] => {
    const cells = line.split(',').map((cell) => cell.trim())
    const [total, used, busy, celsius] = cells.slice(-4).map(Number)
    const name = cells.slice(0, -4).join(', ').slice(0, 128)
    if (name === '' || total === undefined || !Number.isFinite(total)) return []
    return [
      {
        name,
        total_memory: total,
        used_memory: used !== undefined && Number.isFinite(used) ? used : 0,
        busyPercent: busy !== undefined && Number.isFinite(busy) ? busy : null,
        celsius: celsius !== undefined && Number.isFinite(celsius) ? celsius : null,
      },
    ]
  })
}

const RocmSchema = z.record(z.string(), z.record(z.string(), z.unknown()))

/** The JSON of rocm-smi: one object per card, with keys for people. */
function parseRocmSmi(output: string | undefined): GpuFacts[] | undefined {
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
        celsius: numberIn(facts, /temperature.*edge|temperature/i) ?? null,
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

/** What the amdgpu driver writes for each card. */
async function readKernelGpus(drmDir: string): Promise<GpuFacts[] | undefined> {
  const cards = (await namesIn(drmDir)).filter((name) => /^card\d+$/.test(name))
  const gpus = await Promise.all(cards.map((card) => readCard(join(drmDir, card, 'device'))))
  const found = gpus.filter((gpu) => gpu !== undefined)
  return found.length === 0 ? undefined : found
}

async function readCard(device: string): Promise<GpuFacts | undefined> {
  const celsius = await readTemperature(join(device, 'hwmon'))
  const [total, used, busy, name] = await Promise.all(
    ['mem_info_vram_total', 'mem_info_vram_used', 'gpu_busy_percent', 'product_name'].map((file) =>
      textOf(join(device, file)),
    ),
  )
  if (total === undefined || !/^\d+$/.test(total)) return undefined
  return {
    name: name === undefined || name === '' ? 'AMD GPU' : name.slice(0, 128),
    total_memory: Math.round(Number(total) / MIB),
    used_memory: Math.round(Number(used ?? 0) / MIB) || 0,
    busyPercent: busy !== undefined && /^\d+$/.test(busy) ? Number(busy) : null,
    celsius,
  }
}

/** The kernel has it in thousandths of a degree, in the folder of the card's only monitor. */
async function readTemperature(monitors: string): Promise<number | null> {
  const [monitor] = await namesIn(monitors)
  const text = monitor === undefined ? undefined : await textOf(join(monitors, monitor, 'temp1_input'))
  return text !== undefined && /^\d+$/.test(text) ? Math.round(Number(text) / 1000) : null
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder)
  } catch {
    return [] // No such folder on this system.
  }
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch {
    return undefined // The driver does not write it.
  }
}
