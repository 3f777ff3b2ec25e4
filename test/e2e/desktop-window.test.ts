import { readFileSync, writeFileSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { launchStandIn, type Desktop } from '../fixtures/electron-stand-in/launch.js'
import { makePlace, noStandIn, shown, type Place } from './desktop-app.js'

/** The window from the first moment to the last, on the stand-in; NOT TESTED in the real Electron. */
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

async function start(words: readonly string[] = [], env: Record<string, string> = {}): Promise<Desktop> {
  desktop = await launchStandIn([...place.words, ...words], { ...place.env, ...env })
  return desktop
}

const visible = (app: Desktop) =>
  app.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows().map((window) => window.isVisible()))

test.each(['load only', 'nothing'])(
  'the window is shown where the session reports %s and never that it is painted',
  async (reported) => {
    const app = await start([], { STAND_IN_READY_TO_SHOW: reported })
    await expect.poll(() => visible(app)).toEqual([true])
  },
)

test('while the node starts the window says so, and what was asked for meanwhile is shown afterwards', async () => {
  const app = await start([], { STAND_IN_BEFORE_READY: 'ocf://models' })
  await shownPage(app, '#/models')
  expect(app.visited().map((url) => new URL(url).pathname)).toContain('/starting.html')
})

test('a page that crashes twice leaves a page that says so, the node goes on, and the dashboard can be opened again', async () => {
  const app = await start()
  const gateway = await shown(app)
  const crash = () =>
    app.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]?.webContents.forcefullyCrashRenderer())
  await crash()
  await expect.poll(() => app.stderr()).toContain('the window crashed and is reloaded')
  await expect.poll(() => shown(app).catch(() => 'crashed')).toBe(gateway)
  await crash()
  await expect
    .poll(() =>
      app.page
        .getByRole('alert')
        .textContent({ timeout: 1000 })
        .catch(() => ''),
    )
    .toBe('The dashboard crashed twice')
  expect((await fetch(`${gateway}/models`)).status).toBe(200)
  await app.page.getByRole('link', { name: 'Open the dashboard again' }).click()
  expect(await shown(app)).toBe(gateway)
})

test('the window opens where it was left, within the displays that there are', async () => {
  const file = join(place.dir, 'node-window', 'app.json')
  mkdirSync(join(place.dir, 'node-window'))
  const left = { x: 1800, y: 100, width: 1000, height: 3000, isMaximized: false }
  writeFileSync(file, JSON.stringify({ window: left }))
  const app = await start()
  await shown(app)
  const bounds = { x: 920, y: 0, width: 1000, height: 1040 }
  expect(
    await app.inMain(({ BrowserWindow }) => BrowserWindow.getAllWindows().map((window) => window.getNormalBounds())),
  ).toEqual([bounds])
  await app.inMain(({ BrowserWindow }) => {
    setImmediate(() => BrowserWindow.getAllWindows()[0]?.close())
  })
  expect(await app.exited).toBe(0)
  expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject({ window: { ...bounds, isMaximized: false } })
})

async function shownPage(app: Desktop, hash: string): Promise<void> {
  await expect.poll(() => new URL(app.page.url()).hash).toBe(hash)
}
