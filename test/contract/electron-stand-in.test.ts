import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

/** What the stand-in for Electron refuses or plays by itself: a main process that gets it wrong must not pass on it. */
const STAND_IN = resolve(import.meta.dirname, '..', 'fixtures', 'electron-stand-in')

let dir: string
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'ocf-stand-in-'))))
afterEach(() => rmSync(dir, { recursive: true, force: true }))

/** Runs a main process without a window; what it prints, and what it failed with. */
async function runMain(source: string, env: Record<string, string> = {}): Promise<{ stdout: string; stderr: string }> {
  const main = join(dir, 'main.mjs')
  const start = join(dir, 'start.mjs')
  writeFileSync(join(dir, 'package.json'), '{"version":"1.0.0"}')
  writeFileSync(main, source)
  // As run.mjs does it, but without a browser, for there is no window.
  writeFileSync(
    start,
    `import { standIn } from 'electron'
     standIn.belongTo(${JSON.stringify(dir)})
     await import(${JSON.stringify(pathToFileURL(main).href)})
     standIn.becomeReady()`,
  )
  const register = pathToFileURL(join(STAND_IN, 'register.mjs')).href
  const child = spawn(process.execPath, ['--import', register, start], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (data) => (stdout += String(data)))
  child.stderr.on('data', (data) => (stderr += String(data)))
  await new Promise((done) => child.once('close', done))
  return { stdout: stdout.trim(), stderr }
}

describe('the stand-in for Electron', () => {
  it('the folder of the window that is set too late is an error, where Electron says nothing', async () => {
    const early = `import { app } from 'electron'; app.setPath('userData', '/x'); app.whenReady().then(() => process.exit())`
    expect((await runMain(early)).stderr).toBe('')
    const late = `import { app } from 'electron'; app.whenReady().then(() => app.setPath('userData', '/x'))`
    expect((await runMain(late)).stderr).toContain('userData is set after the app is ready')
  })

  it('a part of Electron that it does not have fails, and is not passed over', async () => {
    const { stderr } = await runMain(`import { app } from 'electron'; app.setBadgeCount(1)`)
    expect(stderr).toContain('electron.app.setBadgeCount is not implemented')
  })

  it('the archive of a packaged program is one file, not a folder', async () => {
    const main = `import { app } from 'electron'; console.log(app.isPackaged, app.getAppPath()); process.exit()`
    const { stdout } = await runMain(`process.resourcesPath = '/opt/resources'\n${main}`, {
      STAND_IN_RESOURCES: '/opt/resources',
    })
    expect(stdout).toBe(`true ${join('/opt/resources', 'app.asar')}`)
  })

  it.each([
    ['darwin', 'held'],
    ['linux', 'goes on'],
  ])('on %s a quit that is held at the end of the session is %s', async (platform, outcome) => {
    const main = `
      import { app, powerMonitor } from 'electron'
      import { endSession } from ${JSON.stringify(pathToFileURL(join(STAND_IN, 'session-end.mjs')).href)}
      process.on('SIGTERM', () => process.exit())
      app.on('before-quit', (event) => event.preventDefault())
      app.whenReady().then(() => {
        console.log(endSession({ app, windows: new Set(), powerMonitor }))
        setImmediate(() => process.exit())
      })`
    expect((await runMain(main, { STAND_IN_PLATFORM: platform })).stdout).toBe(outcome)
  })
})
