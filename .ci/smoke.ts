// Starts a packaged app twice, the second time as after an update, and ends it: node .ci/smoke.ts PROGRAM [WORDS]
// Fails when the node in it does not answer. It needs no package, so that nothing but the app is tested.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const START_MS = 60_000
const STOP_MS = 20_000
const POLL_MS = 250

/** What the node of a data folder leaves for programs that talk to it. */
interface Control {
  gateway: string | null
}

/** Starts the program, waits until its gateway answers, and ends it. Throws with what it wrote when that fails. */
export async function startOnce(program: string, words: readonly string[]): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'ocf-smoke-'))
  const dataDir = join(dir, 'node')
  const ports = ['port', 'api-port', 'tcpport', 'wsport', 'udpport'].map((name) => `--${name}=0`)
  const args = [...words, '--mode=standalone', '--demo-model=on', '--p2p-host=127.0.0.1', ...ports]
  const child = spawn(program, [...args, `--data-dir=${dataDir}`], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (said += String(data)))
  const exited = once(child, 'exit')
  try {
    const models = await Promise.race([
      answer(dataDir),
      exited.then(([code]) => {
        throw new Error(`It ended with ${code}.`)
      }),
    ])
    if (!models.includes('ocf-demo')) throw new Error(`Its models are ${models}.`)
    child.kill()
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS)
    const [code, signal] = (await exited) as [number | null, string | null]
    clearTimeout(timer)
    // Windows ends it without asking.
    if (process.platform !== 'win32' && code !== 0)
      throw new Error(`It ended with ${code ?? signal} when asked to stop.`)
  } catch (error) {
    throw new Error(`${program} ${words.join(' ')} does not work:\n${said}`, { cause: error })
  } finally {
    child.kill('SIGKILL')
    rmSync(dir, { recursive: true, force: true, maxRetries: 10 })
  }
}

/** What the gateway answers to the question for its models, as soon as it answers. */
async function answer(dataDir: string): Promise<string> {
  const deadline = performance.now() + START_MS
  for (;;) {
    try {
      const { gateway } = JSON.parse(readFileSync(join(dataDir, 'control.json'), 'utf8')) as Control
      if (gateway !== null) {
        const models = await (await fetch(`${gateway}/v1/models`)).text()
        if (models.includes('ocf-demo') || performance.now() > deadline) return models
      }
    } catch (error) {
      if (performance.now() > deadline) throw error
    }
    if (performance.now() > deadline) throw new Error('Its gateway did not answer in time.')
    await new Promise((done) => setTimeout(done, POLL_MS))
  }
}

if (import.meta.main) {
  const [program, ...words] = process.argv.slice(2)
  if (program === undefined) throw new Error('Which program?')
  for (const more of [[], ['--updated']]) {
    await startOnce(program, [...words, ...more])
    process.stdout.write(`started: ${[...words, ...more].join(' ') || 'without a word'}\n`)
  }
  process.exit()
}
