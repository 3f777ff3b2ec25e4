import { readFile } from 'node:fs/promises'
import { afterEach, expect, test } from 'vitest'
import { createSubprocess, type SubprocessOptions } from '../../src-main/services/process/subprocess.js'
import { createRecordingLog } from '../fixtures/recording-log.js'

const cleanups: (() => Promise<unknown>)[] = []

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup()
})

const NODE = JSON.stringify(process.execPath)

/** A command line that runs this program text in Node. */
function script(text: string): string {
  return `${NODE} -e '${text}'`
}

async function start(options: SubprocessOptions) {
  const log = createRecordingLog()
  const subprocess = createSubprocess({ log }, { firstRestartMs: 5, maxRestartMs: 20, ...options })
  cleanups.push(() => subprocess.stop())
  await subprocess.start(new AbortController().signal)
  const printed = (line: string) => log.line('subprocess output', ({ fields }) => fields.line === line)
  return { log, subprocess, printed }
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
  const subprocess = createSubprocess({ log: createRecordingLog() }, { command: 'false' })
  await subprocess.stop()
})
