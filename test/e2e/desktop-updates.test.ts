import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { updateOnce } from '../../.ci/update-smoke.ts'
import { VERSION } from '../../src-main/base/version.js'
import { builtFile } from '../fixtures/built.js'
import { launchChromium } from '../fixtures/chromium/launch.js'
import { launchStandIn, standInCommand, type Desktop } from '../fixtures/electron-stand-in/launch.js'
import { NEW_VERSION, startUpdateFeed, type UpdateFeed } from '../fixtures/update-feed.js'
import { makePlace, noStandIn, shown, type Place } from './desktop-app.js'

/**
 * electron-updater itself against a feed on this machine, in the stand-in that plays a packaged AppImage. The "image" is a
 * script, so the test sees that the new version was put in place and started. NOT TESTED in the real Electron.
 */
let feed: UpdateFeed
let place: Place
let env: Record<string, string>
let desktop: Desktop
let image: string
let proof: string
let oldRan: string
let boxClosed: string

beforeAll(async () => {
  if (noStandIn !== undefined) return
  place = makePlace({ tray: false })
  image = join(place.dir, 'Open-Compute.AppImage')
  proof = join(place.dir, 'the-new-version-ran')
  oldRan = join(place.dir, 'the-old-version-ran')
  boxClosed = join(place.dir, 'box-closed')
  feed = await startUpdateFeed(Buffer.from(`#!/bin/sh\n: > '${proof}'\n# ${'x'.repeat(100_000)}\n`))
  const resources = join(place.dir, 'resources')
  feed.describeIn(resources)
  env = {
    ...place.env,
    STAND_IN_RESOURCES: resources,
    APPIMAGE: image,
    APPDIR: dirname(process.execPath),
    STAND_IN_ERROR_BOX: boxClosed,
    XDG_CACHE_HOME: join(place.dir, 'cache'),
  }
})
afterAll(async () => {
  if (noStandIn !== undefined) return
  await desktop.close()
  await feed.close()
  place.remove()
})
beforeEach((context) => context.skip(noStandIn !== undefined, noStandIn))

function putImage(): void {
  writeFileSync(image, `#!/bin/sh\n: > '${oldRan}'\n`)
  chmodSync(image, 0o755)
}

async function openSettings(): Promise<void> {
  await shown(desktop)
  await desktop.page.getByRole('link', { name: 'Settings', exact: true }).click()
}

const sentence = (text: string | RegExp) => desktop.page.getByRole('status').filter({ hasText: text })
const press = (name: string) =>
  desktop.page.getByRole('main').getByRole('button', { name, exact: true }).first().click()

test('nothing is asked for before the person asks for it', async () => {
  desktop = await launchStandIn(place.words, env)
  await openSettings()
  await sentence('Not checked yet.').waitFor()
  await desktop.page.getByRole('checkbox', { name: 'Check for updates once a day' }).waitFor()
  expect(feed.asked).toEqual([])
})

test('a feed that does not answer is told in words', async () => {
  feed.state = 'away'
  await press('Check now')
  await sentence('Could not check for a newer version.').waitFor()
  expect(desktop.stderr()).not.toMatch(/the app failed|nobody looked/)
})

test.each(['unsigned', 'forged', 'altered'] as const)(
  'a newer version whose list is %s is not offered, and nothing of it is downloaded',
  async (state) => {
    feed.state = state
    await press('Check now')
    await sentence('its publisher has not signed it').waitFor()
    expect(feed.asked.filter(({ path }) => path.endsWith('.AppImage'))).toEqual([])
    feed.state = 'away'
    await press('Check now')
    await sentence('Could not check for a newer version.').waitFor()
  },
)

test('a newer version is shown and not downloaded, and nothing tells this installation from others', async () => {
  feed.state = 'good'
  await press('Check now')
  await sentence(`Version ${NEW_VERSION} is available.`).waitFor()
  expect(feed.asked.filter(({ path }) => path.endsWith('.AppImage'))).toEqual([])
  expect([...new Set(feed.asked.map(({ headers }) => headers['x-user-staging-id']))]).toEqual(['none'])
})

test('a download that is not what was published is thrown away', async () => {
  feed.state = 'damaged'
  await press('Download')
  await sentence('could not be downloaded or is not what its publisher made').waitFor()
})

test('a version that was downloaded is told in the window and by the system, and waits', async () => {
  feed.state = 'good'
  await press('Check now')
  await sentence(`Version ${NEW_VERSION} is available.`).waitFor()
  await press('Download')
  await sentence(`Version ${NEW_VERSION} is ready.`).waitFor()
  await desktop.page.getByText(`Version ${NEW_VERSION} is ready to be installed`).waitFor()
  await expect.poll(() => desktop.stderr()).toContain(`notification Version ${NEW_VERSION} is ready`)
  expect(existsSync(proof)).toBe(false)
})

test('an installation that fails leaves the old version, which starts again', async () => {
  // The image was moved while it ran: there is nothing to replace.
  rmSync(image, { force: true })
  await press('Restart to install')
  await expect.poll(() => desktop.stderr()).toContain('error box: The newer version could not be installed')
  putImage()
  writeFileSync(boxClosed, '')
  expect(await desktop.exited).toBe(0)
  await expect.poll(() => existsSync(oldRan)).toBe(true)
  expect(desktop.stderr()).not.toContain('nobody looked')
  await desktop.close()
})

test('with the person’s consent a new version is fetched unasked, and a restart puts it in place', async () => {
  putImage()
  const folder = join(place.dir, 'node-window')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'app.json'), JSON.stringify({ updates: true, notifications: false }))
  desktop = await launchStandIn(place.words, env)
  await desktop.page.getByText(`Version ${NEW_VERSION} is ready to be installed`).waitFor()
  expect(existsSync(proof)).toBe(false)
  await press('Restart to install')
  expect(await desktop.exited).toBe(0)
  await expect.poll(() => existsSync(proof)).toBe(true)
  expect(readFileSync(image, 'utf8')).toContain(proof)
  // Messages of the system were switched off.
  expect(desktop.stderr()).not.toContain('notification')
  expect(desktop.stderr()).not.toMatch(/error box|nobody looked|failed to stop/)
})

test('the smoke test of updates passes for an app whose newer version starts, answers and restarts', async (context) => {
  const newer = `#!/bin/sh\nexec '${process.execPath}' '${builtFile('..', 'src-main', 'launcher.mjs')}' start\n`
  writeFileSync(image, newer.padEnd(100_000, '#'))
  chmodSync(image, 0o755)
  const published = await startUpdateFeed(readFileSync(image))
  const browser = await launchChromium({ args: ['--remote-debugging-port=0'] })
  context.onTestFinished(async () => {
    await browser.close()
    await published.close()
  })
  const resources = join(place.dir, 'newer-resources')
  published.describeIn(resources)
  const [port] = readFileSync(join(browser.userDataDir, 'DevToolsActivePort'), 'utf8').split('\n')
  const debuggingUrl = `http://127.0.0.1:${port ?? ''}`
  const { file, words } = standInCommand(place.words)
  await updateOnce(
    { file, words, debuggingUrl, env: { ...env, STAND_IN_RESOURCES: resources, STAND_IN_CDP: debuggingUrl } },
    VERSION,
  )
})
