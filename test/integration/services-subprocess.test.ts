import { spawn } from 'node:child_process'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { processIdentity } from '../../src-main/base/data-folder/process-identity.js'
import { createSubprocess, type SubprocessOptions } from '../../src-main/services/process/subprocess.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { createRecordingLog } from '../fixtures/recording-log.js'

const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

async function folder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'ocf-subprocess-'))
  cleanups.push(() => rm(dir, { recursive: true, force: true }))
  return dir
}

const NODE = JSON.stringify(process.execPath)

/** A command line that runs this program text in Node. */
function script(text: string): string {
  return `${NODE} -e '${text}'`
}

async function start(options: Omit<SubprocessOptions, 'dataDir'> & { dataDir?: string }) {
  const log = createRecordingLog()
  const dataDir = options.dataDir ?? (await folder())
  const subprocess = createSubprocess({ log }, { firstRestartMs: 5, maxRestartMs: 20, ...options, dataDir })
  cleanups.push(() => subprocess.stop())
  await subprocess.start(new AbortController().signal)
  const printed = (line: string) => log.line('subprocess output', ({ fields }) => fields.line === line)
  return { log, subprocess, printed, dataDir }
}

/** Whether it runs; who has ended without being reaped does not. */
async function isRunning(pid: number): Promise<boolean> {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || !/\) [ZX] /.test(await readFile(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

test.skipIf(process.platform === 'win32')('what the command prints goes to the log, line by line', async () => {
  const { printed } = await start({ command: 'printf "one\\ntwo\\n"; echo three >&2; sleep 600' })

  expect((await printed('one')).fields).toMatchObject({ stream: 'stdout' })
  await printed('two')
  expect((await printed('three')).fields).toMatchObject({ stream: 'stderr' })
})

test('a command that ends is started again, less and less often', async () => {
  const { log } = await start({ command: script('process.exit(3)') })
  const ended = 'the subprocess ended and will be started again'

  await log.line(ended, ({ fields }) => fields.inMs === 20)

  const waits = log.lines.filter(({ message }) => message === ended).map(({ fields }) => fields.inMs)
  expect(waits.slice(0, 3)).toEqual([5, 10, 20])
  expect(log.lines.find(({ message }) => message === ended)?.fields.how).toBe('exit code 3')
})

test('after a long run the next start is quick again', async () => {
  const { log } = await start({ command: script('process.exit(0)'), steadyMs: 0 })
  const ended = 'the subprocess ended and will be started again'
  let seen = 0
  await log.line(ended, () => (seen += 1) > 6)

  expect(new Set(log.lines.filter(({ message }) => message === ended).map(({ fields }) => fields.inMs))).toEqual(
    new Set([5]),
  )
})

test('stopping ends the command and everything it started', async () => {
  const child =
    'const c = require("child_process").spawn("sleep", ["600"]); console.log("child " + c.pid); setInterval(() => {}, 1000)'
  const { log, subprocess } = await start({ command: script(child) })
  const { fields } = await log.line('subprocess output', (line) => String(line.fields.line).startsWith('child '))
  const pids = [Number(String(fields.line).slice('child '.length)), subprocess.pid!]
  expect(await Promise.all(pids.map(isRunning))).toEqual([true, true])

  await Promise.all([subprocess.stop(), subprocess.stop()])

  expect(await Promise.all(pids.map(isRunning))).toEqual([false, false])
  expect(subprocess.pid).toBeUndefined()
})

test('a command that does not want to end is ended by force', async () => {
  const stubborn = 'process.on("SIGTERM", () => console.log("no")); console.log("up"); setInterval(() => {}, 1000)'
  const { subprocess, printed } = await start({ command: `exec ${script(stubborn)}`, graceMs: 50 })
  await printed('up')
  const pid = subprocess.pid!

  await subprocess.stop()

  expect(await isRunning(pid)).toBe(false)
})

test('stopping before the start is nothing', async () => {
  const subprocess = createSubprocess({ log: createRecordingLog() }, { command: 'false', dataDir: await folder() })
  await subprocess.stop()
})

describe.skipIf(process.platform === 'win32')('with a whole node', () => {
  const QUIET = ['--mode', 'standalone', '--demo-model', 'off']

  /** A node that supervises a server with a worker; the worker ignores polite requests. */
  async function nodeWithServer(dataDir: string): Promise<{ node: NodeProcess; pids: number[] }> {
    const pidFile = join(dataDir, 'pids.txt')
    const worker = `sh -c "trap : TERM; while :; do sleep 0.1; done"`
    const command = `${worker} & echo "$$ $!" > '${pidFile}.new' && mv '${pidFile}.new' '${pidFile}'; exec sleep 600`
    await rm(pidFile, { force: true })
    const node = await startNodeProcess({ dataDir, flags: [...QUIET, '--subprocess', command] })
    cleanups.push(() => node.kill())
    await expect.poll(() => readFile(pidFile, 'utf8').catch(() => '')).toMatch(/^\d+ \d+\n$/)
    const pids = (await readFile(pidFile, 'utf8')).trim().split(' ').map(Number)
    cleanups.push(async () => {
      for (const pid of pids) if (await isRunning(pid)) process.kill(pid, 'SIGKILL')
    })
    return { node, pids }
  }

  /** Every process that one has started and that still runs. */
  async function childrenOf(pid: number): Promise<number[]> {
    const all = (await readdir('/proc')).filter((entry) => /^\d+$/.test(entry))
    const stats = await Promise.all(all.map((entry) => readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '')))
    return all.filter((_, at) => stats[at]?.split(') ')[1]?.split(' ')[1] === String(pid)).map(Number)
  }

  test('the subprocess and its workers end with a node that is killed', async () => {
    const { node, pids } = await nodeWithServer(await folder())
    expect(await Promise.all(pids.map(isRunning))).toEqual([true, true])
    await node.kill()
    await expect.poll(() => Promise.all(pids.map(isRunning))).toEqual([false, false])
  })

  test.skipIf(process.platform !== 'linux')(
    'what an end by force left of the subprocess is ended by the next start',
    async () => {
      const dataDir = await folder()
      const { node, pids } = await nodeWithServer(dataDir)
      // The watcher first, so that nothing ends the command.
      for (const pid of await childrenOf(node.pid)) if (!pids.includes(pid)) process.kill(pid, 'SIGKILL')
      await node.kill()
      expect(await Promise.all(pids.map(isRunning))).toEqual([true, true])
      const next = await nodeWithServer(dataDir)
      expect(await Promise.all(pids.map(isRunning))).toEqual([false, false])
      expect(next.node.stderr()).toContain('the subprocess of an earlier start still runs and is ended')
      expect(await Promise.all(next.pids.map(isRunning))).toEqual([true, true])
    },
  )

  test('the subprocess of a node gets the person’s variables and none of the node’s own', async () => {
    const dataDir = await folder()
    const file = join(dataDir, 'env.txt')
    const own = {
      OCF_AXIOM_TOKEN: 'secret',
      AXIOM_TOKEN: 'secret',
      NODE_OPTIONS: '--no-warnings',
      ELECTRON_RUN_AS_NODE: '1',
    }
    const theirs = { CUDA_VISIBLE_DEVICES: '0', HF_HOME: '/models', MY_OWN: 'x' }
    const node = await startNodeProcess({
      dataDir,
      flags: [...QUIET, '--subprocess', `env > '${file}.new' && mv '${file}.new' '${file}'; exec sleep 600`],
      env: { ...own, ...theirs },
    })
    cleanups.push(() => node.kill())
    await expect.poll(() => readFile(file, 'utf8').catch(() => '')).not.toBe('')
    const lines = (await readFile(file, 'utf8')).split('\n')
    const names = new Set(lines.map((line) => line.split('=', 1)[0] ?? ''))
    expect(lines).toEqual(expect.arrayContaining(Object.entries(theirs).map((entry) => entry.join('='))))
    for (const name of ['PATH', 'HOME']) expect(names).toContain(name)
    expect([...names].filter((name) => name in own || name.startsWith('OCF_'))).toEqual([])
  })
})

test('a process that only has the number of an earlier subprocess is left alone', async () => {
  const stranger = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })
  cleanups.push(() => Promise.resolve(stranger.kill('SIGKILL')))
  const dataDir = await folder()
  const { pid } = stranger
  const note = JSON.stringify({ pid, startedAt: `${processIdentity(pid!)?.startedAt ?? ''}0` })
  await writeFile(join(dataDir, 'subprocess.json'), note)
  const { printed } = await start({ command: 'echo up; sleep 600', dataDir })
  await printed('up')
  expect(await isRunning(pid!)).toBe(true)
})

test.skipIf(process.platform !== 'linux')(
  'what an earlier start left is ended also by a start without a subprocess',
  async () => {
    const left = spawn('sleep', ['600'], { detached: true, stdio: 'ignore' })
    cleanups.push(() => Promise.resolve(left.kill('SIGKILL')))
    const dataDir = await folder()
    await writeFile(join(dataDir, 'subprocess.json'), JSON.stringify(processIdentity(left.pid!)))
    const { log, subprocess } = await start({ command: '', dataDir })
    await expect.poll(() => isRunning(left.pid!)).toBe(false)
    await subprocess.stop()
    expect(log.lines.map(({ message }) => message)).toEqual([
      'the subprocess of an earlier start still runs and is ended',
    ])
    expect(await readdir(dataDir)).toEqual([])
  },
)

test('a damaged note of what runs keeps no subprocess from starting', async () => {
  const dataDir = await folder()
  await writeFile(join(dataDir, 'subprocess.json'), '\u0000{')
  const { printed } = await start({ command: 'echo up; sleep 600', dataDir })
  await printed('up')
})
