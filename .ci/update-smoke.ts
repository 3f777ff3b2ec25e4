// Has a packaged app restart and update itself: node .ci/update-smoke.ts PROGRAM FOLDER PORT VERSION
// FOLDER holds the newer packages and their signed latest*.yml, and is served on PORT of this machine, where PROGRAM was
// built to look. Passes when the node that then answers is of VERSION.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { chromium } from 'playwright-core'

const START_MS = 120_000
const POLL_MS = 250
const DEBUGGING_PORT = 9333

/** How a program is started, and where the page in its window can be spoken to. */
interface Start {
  file: string
  words: readonly string[]
  env: Record<string, string>
  debuggingUrl: string
}

/** What the node of a data folder leaves for programs that talk to it. */
interface Control {
  url: string
  token: string
  pid: number
}

/**
 * Starts the program, has it restart, fetch and install what its feed offers, and ends the node of that version. Throws
 * where one of these does not come about.
 */
export async function updateOnce({ file, words, env, debuggingUrl }: Start, version: string): Promise<void> {
  const dir = mkdtempSync(join(tmpdir(), 'ocf-update-'))
  const dataDir = join(dir, 'node')
  // Of the environment: what starts the program again knows none of the words.
  const ports = ['PORT', 'API_PORT', 'TCPPORT', 'WSPORT', 'UDPPORT'].map((name) => [`OCF_${name}`, '0'] as const)
  const all = {
    ...{ ...process.env, ...env, ...Object.fromEntries(ports) },
    ...{ OCF_MODE: 'standalone', OCF_P2P_HOST: '127.0.0.1', OCF_DATA_DIR: dataDir },
  }
  const child = spawn(file, words, { stdio: ['ignore', 'inherit', 'inherit'], env: all })
  try {
    const before = await until(() => startedAfter(0, dataDir), 'the app runs')
    await pressUpdate(debuggingUrl)
    const updated = await until(() => startedAfter(before.startedAtMs, dataDir, version), `a node of ${version} runs`)
    await call(updated.control, 'node.restart')
    const again = await until(() => startedAfter(updated.startedAtMs, dataDir, version), 'it has restarted')
    process.kill(again.control.pid)
    await until(() => runningIn(dataDir) === undefined, 'it has ended')
  } finally {
    child.kill('SIGKILL')
    const left = runningIn(dataDir)
    if (left !== undefined) endIfAny(left.pid)
    rmSync(dir, { recursive: true, force: true, maxRetries: 10 })
  }
}

function endIfAny(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It has ended.
  }
}

/** What a person presses in the window. */
async function pressUpdate(debuggingUrl: string): Promise<void> {
  const browser = await until(
    () => chromium.connectOverCDP(debuggingUrl).catch(() => undefined),
    'its window can be spoken to',
  )
  const pages = () => browser.contexts().flatMap((context) => context.pages())
  const page = await until(() => pages().find((one) => one.url() !== 'about:blank'), 'its window has a page')
  await page.getByRole('link', { name: 'Settings', exact: true }).click({ timeout: START_MS })
  for (const name of ['Check now', 'Download', 'Restart to install']) {
    await page.getByRole('main').getByRole('button', { name, exact: true }).first().click({ timeout: START_MS })
  }
}

function runningIn(dataDir: string): Control | undefined {
  try {
    return JSON.parse(readFileSync(join(dataDir, 'control.json'), 'utf8')) as Control
  } catch {
    return undefined
  }
}

/** The node that runs there, once one answers that started after that time (Unix ms) and is of this version. */
async function startedAfter(
  afterMs: number,
  dataDir: string,
  version?: string,
): Promise<{ control: Control; startedAtMs: number } | undefined> {
  const control = runningIn(dataDir)
  const status = control && (await call(control, 'node.status').catch(() => undefined))
  if (control === undefined || status?.startedAtMs === undefined || status.startedAtMs <= afterMs) return undefined
  return version === undefined || status.version === version ? { control, startedAtMs: status.startedAtMs } : undefined
}

async function call({ url, token }: Control, name: string): Promise<{ version?: string; startedAtMs?: number }> {
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
  const response = await fetch(`${url}/api/call/${name}`, { method: 'POST', headers, body: '{}' })
  if (!response.ok) throw new Error(`${name} was answered with ${response.status}: ${await response.text()}`)
  return (await response.json()) as { version?: string; startedAtMs?: number }
}

async function until<T>(probe: () => T | Promise<T>, what: string): Promise<Exclude<Awaited<T>, undefined | false>> {
  const deadline = performance.now() + START_MS
  for (;;) {
    const value = await probe()
    if (value !== undefined && value !== false) return value as Exclude<Awaited<T>, undefined | false>
    if (performance.now() > deadline) throw new Error(`Timed out waiting until ${what}.`)
    await new Promise((done) => setTimeout(done, POLL_MS))
  }
}

/** Serves the files of a folder, and no other. */
async function serve(folder: string, port: number): Promise<Server> {
  const server = createServer((request, response) => {
    const file = join(folder, basename(new URL(request.url ?? '/', 'http://feed.invalid').pathname))
    if (!existsSync(file) || !statSync(file).isFile()) response.writeHead(404).end()
    else createReadStream(file).pipe(response)
  })
  await once(server.listen(port, '127.0.0.1'), 'listening')
  return server
}

if (import.meta.main) {
  const [file, folder, port, version] = process.argv.slice(2)
  if (file === undefined || folder === undefined || version === undefined)
    throw new Error('node .ci/update-smoke.ts PROGRAM FOLDER PORT VERSION')
  await serve(folder, Number(port))
  const debuggingUrl = `http://127.0.0.1:${DEBUGGING_PORT}`
  await updateOnce({ file, words: [`--remote-debugging-port=${DEBUGGING_PORT}`], env: {}, debuggingUrl }, version)
  process.stdout.write(`updated to ${version}, and restarted\n`)
  process.exit()
}
