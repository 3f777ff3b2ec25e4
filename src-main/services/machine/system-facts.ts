import { readdir, readFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { known, runTool, unknown, type Fact, type MachineFacts, type RunTool } from './facts.js'
import type { GpuReader } from './gpu-reader.js'

/** Programs that are counted. */
const MAX_PROGRAMS = 20_000

/** What the operating system tells a program without a window. */
export function createSystemFacts(
  needs: { gpus: Pick<GpuReader, 'read'>; run?: RunTool },
  options: { platform?: NodeJS.Platform; powerDir?: string; procDir?: string } = {},
): MachineFacts {
  const { platform = process.platform, powerDir = '/sys/class/power_supply', procDir = '/proc' } = options
  const run = needs.run ?? runTool
  return {
    userIdleMs: () => Promise.resolve(unknown('only the desktop app sees keyboard and mouse')),
    gpus: () => needs.gpus.read(),
    onBattery: () => (platform === 'linux' ? linuxBattery(powerDir) : otherBattery(platform, run)),
    programs: () => (platform === 'linux' ? linuxPrograms(procDir) : otherPrograms(platform, run)),
  }
}

/** On battery: a battery of the machine itself discharges and no mains adapter is on. */
async function linuxBattery(powerDir: string): Promise<Fact<boolean>> {
  const names = await namesIn(powerDir)
  if (names === undefined) return unknown('this system does not tell about its power supply')
  const supplies = await Promise.all(
    names.map(async (name) => {
      const read = (file: string): Promise<string | undefined> => textOf(join(powerDir, name, file))
      const [type, scope, status, online] = await Promise.all(['type', 'scope', 'status', 'online'].map(read))
      return { type, scope, status, online }
    }),
  )
  const batteries = supplies.filter(({ type, scope }) => type === 'Battery' && scope !== 'Device')
  const hasMains = supplies.some(({ type, online }) => type !== 'Battery' && online === '1')
  return known(!hasMains && batteries.some(({ status }) => status === 'Discharging'))
}

async function otherBattery(platform: NodeJS.Platform, run: RunTool): Promise<Fact<boolean>> {
  const output = platform === 'darwin' ? await run('pmset', ['-g', 'batt']) : undefined
  return output === undefined
    ? unknown('this system does not tell about its power supply')
    : known(output.includes("'Battery Power'"))
}

/** The name of each process and of the file it runs. */
async function linuxPrograms(procDir: string): Promise<Fact<ReadonlySet<string>>> {
  const pids = (await namesIn(procDir))?.filter((name) => /^\d+$/.test(name))
  if (pids === undefined) return unknown('this system does not tell which programs run')
  const programs = new Set<string>()
  for (const pid of pids.slice(0, MAX_PROGRAMS)) {
    const [comm, cmdline] = await Promise.all([
      textOf(join(procDir, pid, 'comm')),
      textOf(join(procDir, pid, 'cmdline')),
    ])
    if (comm !== undefined && comm !== '') programs.add(comm.toLowerCase())
    const file = cmdline?.split('\0', 1)[0]
    if (file !== undefined && file !== '') programs.add(baseOf(file))
  }
  return known(programs)
}

async function otherPrograms(platform: NodeJS.Platform, run: RunTool): Promise<Fact<ReadonlySet<string>>> {
  const output = platform === 'win32' ? await run('tasklist', ['/fo', 'csv', '/nh']) : await run('ps', ['-Ao', 'comm='])
  if (output === undefined) return unknown('this system does not tell which programs run')
  const lines = output.split(/\r?\n/).slice(0, MAX_PROGRAMS)
  const names = lines.map((line) => (platform === 'win32' ? (/^"([^"]+)"/.exec(line)?.[1] ?? '') : line.trim()))
  return known(new Set(names.filter((name) => name !== '').map(baseOf)))
}

/** `/opt/blender/blender`, `C:\Games\game.exe` → the file's name in lower case. */
function baseOf(file: string): string {
  return basename(file.replaceAll('\\', '/')).toLowerCase()
}

async function namesIn(folder: string): Promise<string[] | undefined> {
  try {
    return await readdir(folder)
  } catch {
    return undefined // No such folder on this system.
  }
}

async function textOf(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, 'utf8')).trim()
  } catch {
    return undefined // Gone meanwhile, or of another user.
  }
}
