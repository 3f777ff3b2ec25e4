// How long a node takes until it serves, and what it takes of the memory when nothing happens:
//   npm run build && node test/bench/startup.ts [runs]
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'

/** The garbage of starting is collected 10 s after it, and V8 gives the pages back some 8 s later. */
const IDLE_AFTER_MS = 30_000
const GOAL = { readyMs: 1_500, rssMb: 150 }

const launcher = resolve(import.meta.dirname, '..', '..', 'src-main', 'launcher.mjs')
const runs = Number(process.argv[2] ?? 3)

/** What one start took. */
interface Measured {
  readyMs: number
  rssMb: number
  peakMb: number
}

/** One start with everything on that is on by default, the demo model and the network included; loopback only. */
async function measure(cache: string): Promise<Measured> {
  const dir = mkdtempSync(join(tmpdir(), 'ocf-startup-'))
  const ports = ['port', 'api-port', 'tcpport', 'wsport', 'udpport'].map((name) => `--${name}=0`)
  const words = ['start', '--mode=node', '--p2p-host=127.0.0.1', '--ready-json', ...ports, `--data-dir=${dir}`]
  const startedAt = performance.now()
  const child = spawn(process.execPath, [launcher, ...words], {
    stdio: ['ignore', 'pipe', 'ignore'],
    env: { PATH: process.env['PATH'], HOME: dir, XDG_CACHE_HOME: cache },
  })
  const exited = once(child, 'exit')
  try {
    await Promise.race([once(createInterface(child.stdout), 'line'), exited])
    if (child.exitCode !== null) throw new Error(`The node ended with ${child.exitCode}.`)
    const readyMs = performance.now() - startedAt
    await sleep(IDLE_AFTER_MS)
    const status = readFileSync(`/proc/${child.pid ?? 0}/status`, 'utf8')
    const megabytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? NaN) / 1024
    return { readyMs, rssMb: megabytes('VmRSS'), peakMb: megabytes('VmHWM') }
  } finally {
    child.kill('SIGTERM')
    await exited
    rmSync(dir, { recursive: true, force: true })
  }
}

const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN

const cache = mkdtempSync(join(tmpdir(), 'ocf-startup-cache-'))
const results: Measured[] = []
try {
  const first = await measure(cache)
  process.stdout.write(`the first start after an update: ready ${first.readyMs.toFixed(0)} ms\n`)
  for (let run = 0; run < runs; run += 1) results.push(await measure(cache))
} finally {
  rmSync(cache, { recursive: true, force: true })
}
const show = (name: keyof Measured): string => median(results.map((result) => result[name])).toFixed(0)
process.stdout.write(
  `ready ${show('readyMs')} ms (goal ${GOAL.readyMs}) · idle RSS ${show('rssMb')} MB (goal ${GOAL.rssMb}) · ` +
    `peak ${show('peakMb')} MB · median of ${runs}\n`,
)
