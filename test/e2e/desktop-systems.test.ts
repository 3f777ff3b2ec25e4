import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, chmodSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { launchStandIn, type Desktop } from '../fixtures/electron-stand-in/launch.js'
import { inLongRun, longTest } from '../fixtures/long-run.js'
import { startModelServer } from '../fixtures/model-servers/index.js'
import { flagsToJoin, llmFlags, modelIds, untilListed } from '../fixtures/node-pair.js'
import { startNodeProcess } from '../fixtures/node-process.js'
import { until } from '../fixtures/until.js'
import { makePlace, noStandIn, shown, type Place } from './desktop-app.js'

/**
 * What systems do to the app, played by the stand-in: installers, logging in and out, Task Manager, notifications,
 * AppImages. NOT TESTED in the real Electron, which has no way to be told of these. Each test starts an app, so a check has
 * one of each kind; test/unit/electron holds the rest.
 */
let place: Place
let desktop: Desktop | undefined

beforeEach((context) => {
  context.skip(noStandIn !== undefined, noStandIn)
  place = makePlace({ tray: false })
})
afterEach(async () => {
  await desktop?.close()
  desktop = undefined
  place.remove()
})

/** Of a packaged program; it is one that can't update itself. */
function packaged({ dir }: Place): Record<string, string> {
  const resources = join(dir, 'resources')
  mkdirSync(resources, { recursive: true })
  return { STAND_IN_RESOURCES: resources }
}

async function start(words: readonly string[], env: Record<string, string> = {}, until?: string): Promise<Desktop> {
  desktop = await launchStandIn([...place.words, ...words], { ...place.env, ...env }, until)
  return desktop
}

describe('a packaged app that is started with words of installers, notifications and crashes', () => {
  let own: Place
  let app: Desktop

  beforeAll(async () => {
    if (noStandIn !== undefined) return
    own = makePlace({ tray: false })
    const words = ['--updated', 'type=click&tag=1', '--no-such-flag', 'value', '--restarted=1']
    app = await launchStandIn([...own.words, ...words], { ...own.env, ...packaged(own) })
    await shown(app)
  })
  afterAll(async () => {
    if (noStandIn !== undefined) return
    await app.close()
    own.remove()
  })

  test('knows the word of the installer for Windows, which has updated it', () => {
    expect(app.stderr()).not.toMatch(/flag --updated|error box/)
  })

  test('starts with words of a notification or of nobody known, and the log has them', () => {
    expect(app.stderr()).toContain('flag --no-such-flag: There is no such flag.')
    expect(app.stderr()).toContain('the command line was not clear')
  })

  test('opens the page of a notification that is clicked on a while after it was shown', async () => {
    await expect.poll(() => app.stderr()).toContain('notification Open Compute was restarted')
    expect(await app.inMain(({ clickNotification }) => clickNotification?.('Open Compute was restarted'))).toBe(true)
    await expect.poll(() => new URL(app.page.url()).hash).toBe('#/settings')
  })
})

test.each(inLongRun(['darwin', 'win32'], ['darwin']))(
  'logging out on %s is not called off, and meanwhile the node withdraws: its peers list no model of it',
  async (platform) => {
    const server = await startModelServer({ models: ['at-home'] })
    const peer = await startNodeProcess({ flags: ['--demo-model', 'off'] })
    try {
      place.words = ['--mode=node']
      const words = ['--demo-model=off', ...flagsToJoin(peer), ...llmFlags(server.port)]
      const app = await start(words, { STAND_IN_PLATFORM: platform })
      await shown(app)
      await untilListed(peer.gateway, 'at-home', 60_000)
      expect(await app.inMain(({ endSession }) => endSession?.())).toBe('goes on')
      expect(await app.exited).toBe(0)
      expect(app.stderr()).toContain('the session ends')
      const isGone = async (): Promise<boolean> => !(await modelIds(peer.gateway)).includes('at-home')
      await until(isGone, { what: 'the peer lists it no more', limitMs: 5_000 })
    } finally {
      await peer.stop()
      await server.close()
    }
  },
)

longTest('quitting on macOS still waits for the node to stop', async () => {
  const app = await start([], { STAND_IN_PLATFORM: 'darwin' })
  await shown(app)
  await app.inMain(({ app: electron }) => electron.quit())
  expect(await app.exited).toBe(0)
  expect(app.stderr()).not.toContain('the session ends')
})

longTest('at the end of a session Windows finds the node stopped before it ends the process', async () => {
  const app = await start([], { STAND_IN_PLATFORM: 'win32' })
  await shown(app)
  // It is there while a node runs, and a node that is killed leaves it.
  const control = join(place.dir, 'node', 'control.json')
  expect(existsSync(control)).toBe(true)
  expect(await app.inMain(({ endSession }) => endSession?.())).toBe('goes on')
  expect(await app.exited).toBe(0)
  expect(app.stderr()).toContain('the session ends')
  expect(existsSync(control)).toBe(false)
})

test('a desktop app that macOS starts at login opens no window', async () => {
  const env = { STAND_IN_PLATFORM: 'darwin', STAND_IN_AT_LOGIN: '1' }
  const app = await start([], env, 'the gateway listens')
  const windows = () => app.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows().length)
  // The tray follows the window: when it is there, a window would be, too.
  await expect.poll(() => app.inMain(({ trays }) => trays?.size)).toBe(1)
  expect(await windows()).toBe(0)
  await app.inMain(({ app: electron }) => void electron.emit('activate'))
  await expect.poll(windows).toBe(1)
})

longTest('a click on the menu bar’s icon opens no window on macOS, and one on the tray of Linux does', async () => {
  const windowsAfterClick = async (platform: string): Promise<number> => {
    const app = await start(['--background'], { STAND_IN_PLATFORM: platform, ...trayHost() }, 'the gateway listens')
    await expect.poll(() => app.inMain(({ trays }) => trays?.size)).toBe(1)
    const windows = await app.inMain(({ BrowserWindow, trays = new Set() }) => {
      for (const tray of trays) tray.emit('click')
      return BrowserWindow.getAllWindows().length
    })
    await app.close()
    return windows
  }
  expect(await windowsAfterClick('darwin')).toBe(0)
  expect(await windowsAfterClick('linux')).toBe(1)
})

longTest('the menu bar of macOS has the file menu, and with it ⌘W', async () => {
  const app = await start([], { STAND_IN_PLATFORM: 'darwin' })
  await shown(app)
  expect(await app.inMain(({ told }) => told?.appMenu?.items.map(({ role }) => role))).toContain('fileMenu')
})

longTest(
  'a start at login that was switched off in Task Manager is shown as off and can be switched on again',
  async () => {
    const app = await start([], { STAND_IN_PLATFORM: 'win32', STAND_IN_TASK_MANAGER: 'off' })
    await shown(app)
    const isOn = async (): Promise<unknown> =>
      ((await call(app, 'app.preferences', {})) as { autostart: boolean }).autostart
    expect(await isOn()).toBe(false)
    await call(app, 'app.setPreference', { name: 'autostart', value: true })
    expect(await isOn()).toBe(true)
  },
)

longTest('a notification that the system refuses to show is in the log', async () => {
  const app = await start(['--restarted=1'], { STAND_IN_NOTIFICATIONS: 'fail' })
  await expect.poll(() => app.stderr()).toContain('a notification could not be shown')
})

test('after a crash an AppImage is started again by its file once the old process is gone', async () => {
  const image = join(place.dir, 'Open-Compute.AppImage')
  const proof = join(place.dir, 'started-again')
  writeFileSync(image, `#!/bin/sh\necho "$APPDIR|$*" > '${proof}.new'\nmv '${proof}.new' '${proof}'\n`)
  chmodSync(image, 0o755)
  const app = await start([], { APPIMAGE: image, APPDIR: dirname(process.execPath), ...packaged(place) })
  await shown(app)
  await crash(app)
  expect(await app.exited).toBe(1)
  await expect.poll(() => existsSync(proof)).toBe(true)
  expect(readFileSync(proof, 'utf8')).toMatch(/^\|.*--restarted=1$/m)
  expect(app.stderr()).not.toContain('stand-in: relaunch')
})

longTest('the AppImage of another program’s terminal is neither started at login nor after a crash', async () => {
  const other = mkdtempSync(join(tmpdir(), 'ocf-other-'))
  const app = await start([], { APPIMAGE: join(other, 'Other.AppImage'), APPDIR: other, ...packaged(place) })
  await shown(app)
  await call(app, 'app.setPreference', { name: 'autostart', value: true })
  const entry = readFileSync(join(place.dir, 'config', 'autostart', 'ocf-desktop.desktop'), 'utf8')
  expect(entry).not.toContain('Other.AppImage')
  await crash(app)
  expect(await app.exited).toBe(1)
  expect(app.stderr()).toContain(`of ${process.execPath}`)
  rmSync(other, { recursive: true, force: true })
})

async function call(app: Desktop, name: string, input: unknown): Promise<unknown> {
  interface Bridge {
    call(name: string, input: unknown): Promise<{ output?: unknown }>
  }
  const reply = await app.page.evaluate(([n, i]) => (Reflect.get(window, 'ocf') as Bridge).call(n, i), [
    name,
    input,
  ] as const)
  return reply.output
}

async function crash(app: Desktop): Promise<void> {
  await app.inMain(() => {
    setImmediate(() => {
      throw new Error('the test makes it fail')
    })
  })
}

function trayHost(): Record<string, string> {
  const withTray = makePlace({ tray: true })
  const { PATH } = withTray.env
  places.push(withTray)
  return { PATH: PATH ?? '' }
}

const places: Place[] = []
afterEach(() => {
  for (const made of places.splice(0)) made.remove()
})
