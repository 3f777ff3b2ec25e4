import { spawn } from 'node:child_process'
import { chmodSync, chownSync, copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

/** A checkout with programs in place of Electron, the node and `unshare`: each writes what it was called with. */
let dir: string
let electron: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ocf-launcher-'))
  electron = join(dir, 'node_modules', 'electron', 'dist', 'electron')
  for (const path of ['src-main', 'out/main', 'node_modules/electron/dist', 'bin']) {
    mkdirSync(join(dir, path), { recursive: true })
  }
  copyFileSync(resolve(import.meta.dirname, '../../src-main/launcher.mjs'), join(dir, 'src-main', 'launcher.mjs'))
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}')
  writeFileSync(join(dir, 'out/main/headless.js'), "console.log('node', ...process.argv.slice(2))\n")
  writeFileSync(join(dir, 'node_modules/electron/package.json'), '{}')
  writeFileSync(join(dir, 'node_modules/electron/path.txt'), 'electron')
  script(electron, 'shift; echo window "$@"')
  chmodSync(dir, 0o755)
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function script(file: string, text: string): void {
  writeFileSync(file, `#!/bin/sh\n${text}\n`)
  chmodSync(file, 0o755)
}

const isRoot = process.getuid?.() === 0

/** `ocf …` on a desktop, as an ordinary user unless asked for otherwise. */
async function ocf(words: readonly string[], options: { asRoot?: boolean } = {}) {
  const ordinary = isRoot && options.asRoot !== true ? { uid: 54_321, gid: 54_321 } : {}
  const child = spawn(process.execPath, [join(dir, 'src-main', 'launcher.mjs'), ...words], {
    env: { PATH: join(dir, 'bin'), DISPLAY: ':0', HOME: dir },
    stdio: ['ignore', 'pipe', 'pipe'],
    ...ordinary,
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => (stdout += String(data)))
  child.stderr.on('data', (data) => (stderr += String(data)))
  await new Promise((done) => child.once('close', done))
  return { stdout: stdout.trim(), stderr }
}

const userNamespaces = (status: number): void => script(join(dir, 'bin', 'unshare'), `exit ${status}`)

describe.skipIf(process.platform !== 'linux')('the sandbox of Chromium, which only Linux can lack,', () => {
  test('where a program may have user namespaces `ocf app` opens its window', async () => {
    userNamespaces(0)
    expect(await ocf(['app', '--port=1'])).toEqual({ stdout: 'window --port=1', stderr: '' })
  })

  test('where a program may not have user namespaces `ocf app` starts the node without a window, and says why and what to do', async () => {
    userNamespaces(1)
    const { stdout, stderr } = await ocf(['app', '--port=1'])
    expect(stdout).toBe('node start --port=1')
    expect(stderr).toContain('this system keeps programs from user namespaces')
    expect(stderr).toContain(`sudo chown root:root '${join(electron, '..', 'chrome-sandbox')}'`)
    expect(stdout + stderr).not.toContain('--no-sandbox')
  })

  test('what a person says on the command line is done, also without the sandbox', async () => {
    userNamespaces(1)
    expect((await ocf(['app', '--no-sandbox'])).stdout).toBe('window --no-sandbox')
  })

  test.skipIf(!isRoot)('the sandbox’s helper with root’s rights does without user namespaces', async () => {
    userNamespaces(1)
    const helper = join(electron, '..', 'chrome-sandbox')
    script(helper, 'exit 0')
    expect((await ocf(['app'])).stdout).toBe('node start')
    chownSync(helper, 0, 0)
    chmodSync(helper, 0o4755)
    expect((await ocf(['app'])).stdout).toBe('window')
  })

  test.skipIf(!isRoot)('root gets the node without a window, and reads why', async () => {
    userNamespaces(0)
    const { stdout, stderr } = await ocf(['app'], { asRoot: true })
    expect(stdout).toBe('node start')
    expect(stderr).toContain('Electron does not run as root')
  })
})

test.skipIf(process.platform === 'win32').each(['--help', '-h', '--help-all'])(
  '`ocf app %s` shows its own help, with no window and no warning',
  async (flag) => {
    expect(await ocf(['app', flag])).toEqual({ stdout: `node app ${flag}`, stderr: '' })
    rmSync(electron)
    expect(await ocf(['app', flag])).toEqual({ stdout: `node app ${flag}`, stderr: '' })
  },
)
