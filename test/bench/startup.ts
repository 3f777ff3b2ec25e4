// How long a node takes until it serves, and what it takes of the memory when nothing happens:
//   npm run build && node test/bench/startup.ts [--runs=3] [--rest-s=30] [--beside DIR]
// With --beside the starts of another checkout, built, are taken in turns with those of this one.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { usageOf } from './gateway/process-usage.ts'
import { median } from './statistics.ts'

const GOAL = { readyMs: 1_500, rssMb: 150 }
/** How often the gateway is asked whether it is there, ms. */
const ASK_EVERY_MS = 2

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '3' },
    // The garbage of starting is collected 10 s after it, and V8 gives the pages back some 8 s later.
    'rest-s': { type: 'string', default: '30' },
    beside: { type: 'string' },
  },
})
const restMs = Number(values['rest-s']) * 1000

/** What one start took. */
interface Measured {
  readyMs: number
  /** User and system time of all threads until then. */
  cpuMs: number
  rssMb: number
  anonymousMb: number
  peakMb: number
}

/** A checkout, and the folder where its nodes keep what they compiled. */
interface Build {
  name: string
  launcher: string
  cache: string
}

function buildAt(checkout: string): Build {
  return {
    name: checkout,
    launcher: join(checkout, 'src-main', 'launcher.mjs'),
    cache: mkdtempSync(join(tmpdir(), 'ocf-startup-cache-')),
  }
}

/** One start with everything on that is on by default, the demo model and the network included; loopback only. */
async function measure({ launcher, cache }: Build): Promise<Measured> {
  const dir = mkdtempSync(join(tmpdir(), 'ocf-startup-'))
  const ports = ['port', 'api-port', 'tcpport', 'wsport', 'udpport'].map((name) => `--${name}=0`)
  const words = ['start', '--mode=node', '--p2p-host=127.0.0.1', '--ready-json', ...ports, `--data-dir=${dir}`]
  const startedAt = performance.now()
  const child = spawn(process.execPath, [launcher, ...words], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'], HOME: dir, XDG_CACHE_HOME: cache },
  })
  const { pid = 0 } = child
  const exited = once(child, 'exit')
  try {
    const [line] = await Promise.race([once(createInterface(child.stdout), 'line'), exited])
    if (child.exitCode !== null) throw new Error(`The node ended with ${child.exitCode}.`)
    await untilAnswered((JSON.parse(String(line)) as { gateway: string }).gateway)
    const readyMs = performance.now() - startedAt
    const { cpuMs } = usageOf(pid)
    await sleep(restMs)
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const megabytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? NaN) / 1024
    return {
      readyMs,
      cpuMs,
      rssMb: megabytes('VmRSS'),
      anonymousMb: megabytes('RssAnon'),
      peakMb: megabytes('VmHWM'),
    }
  } finally {
    child.kill('SIGTERM')
    await exited
    rmSync(dir, { recursive: true, force: true })
  }
}

async function untilAnswered(gateway: string): Promise<void> {
  while (
    !(await fetch(`${gateway}/v1/health`).then(
      ({ ok }) => ok,
      () => false,
    ))
  )
    await sleep(ASK_EVERY_MS)
}

const builds = [
  resolve(import.meta.dirname, '..', '..'),
  ...(values.beside === undefined ? [] : [resolve(values.beside)]),
].map((checkout) => ({ build: buildAt(checkout), results: [] as Measured[] }))
try {
  for (const { build } of builds) {
    const { readyMs, cpuMs } = await measure(build)
    process.stdout.write(`${build.name}, the first start: ready ${readyMs.toFixed(0)} ms, CPU ${cpuMs.toFixed(0)} ms\n`)
  }
  for (let run = 0; run < Number(values.runs); run += 1) {
    for (const { build, results } of run % 2 === 0 ? builds : builds.toReversed()) results.push(await measure(build))
  }
} finally {
  for (const { build } of builds) rmSync(build.cache, { recursive: true, force: true })
}
const of = (name: keyof Measured): number[] => builds.map(({ results }) => median(results.map((one) => one[name])))
const shown = {
  readyMs: 'ready, ms',
  cpuMs: 'CPU until then, ms',
  rssMb: 'RSS at rest, MB',
  anonymousMb: 'of it anonymous, MB',
  peakMb: 'peak, MB',
}
for (const [name, label] of Object.entries(shown) as [keyof Measured, string][]) {
  const [ours = NaN, theirs] = of(name)
  const beside = theirs === undefined ? '' : `${theirs.toFixed(0).padStart(8)}${(ours / theirs).toFixed(2).padStart(8)}`
  process.stdout.write(`${label.padEnd(24)}${ours.toFixed(0).padStart(8)}${beside}\n`)
}
process.stdout.write(`goals: ready ${GOAL.readyMs} ms, RSS ${GOAL.rssMb} MB; median of ${values.runs}\n`)
