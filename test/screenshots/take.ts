import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Page } from 'playwright-core'
import { createControlServer } from '../../src-main/api/http/index.js'
import { monotonicClock } from '../../src-main/base/clock.js'
import { ALICE, type FakeNode } from '../contract/fake-node.js'
import { builtFile } from '../fixtures/built.js'
import { launchChromium, noChromium } from '../fixtures/chromium/launch.js'
import { comparePictures } from './compare.js'
import { makeSheets } from './sheets.js'
import { STATES } from './states.js'
import { NOW_MS, stopClocks } from './still-clocks.js'

/**
 * Every page of the dashboard in every state, light and dark, in three sizes, and once from its top to its end:
 * `npm run screenshots [FOLDER]`. The pictures of the run before go to FOLDER/before, and what changed since is listed,
 * with a picture of each difference in FOLDER/changed. FOLDER/sheets has all pictures of a page and state beside each
 * other. `OCF_SHOTS_ONLY=models,traffic-many` takes only those whose names hold one of these. The clock stands still, so
 * that nothing differs but what was changed.
 */
const FOLDER = resolve(process.argv[2] ?? join(import.meta.dirname, '../../node_modules/.cache/screenshots'))
const ONLY = (process.env['OCF_SHOTS_ONLY'] ?? '').split(',').filter((part) => part !== '')
const SIZES = [
  [1280, 800],
  [900, 600],
  [390, 844],
] as const
const THEMES = ['light', 'dark'] as const
/** Widths in which pages are also shown whole. */
const WHOLE = [1280, 390] as const
/** Pixels of a page's height that are shown at most. */
const MAX_HEIGHT = 4000
const PAGES = {
  home: '#/home',
  chat: '#/chat',
  compare: '#/chat/~compare',
  share: '#/share',
  ledger: '#/share/~ledger',
  models: '#/models',
  model: `#/models/${encodeURIComponent('llama3.3:70b-instruct-q4_K_M')}`,
  network: '#/network',
  map: '#/network',
  peer: `#/network/${ALICE}`,
  traffic: '#/traffic',
  settings: '#/settings',
  advanced: '#/settings/~advanced',
} as const

if (noChromium !== undefined) throw new Error(noChromium)
stopClocks()
const now = join(FOLDER, 'now')
const before = join(FOLDER, 'before')
const changed = join(FOLDER, 'changed')
if (existsSync(now)) {
  rmSync(before, { recursive: true, force: true })
  cpSync(now, before, { recursive: true })
}
rmSync(changed, { recursive: true, force: true })
for (const folder of [now, changed]) mkdirSync(folder, { recursive: true })

let taken = 0
const browser = await launchChromium({ timeZone: 'UTC' })
try {
  const page = await browser.context.newPage()
  await page.clock.setFixedTime(NOW_MS)
  for (const { name, node } of STATES) await takeAll(page, name, node())
  await takeLoading(page)
  await makeSheets(browser.context, { from: now, out: join(FOLDER, 'sheets'), sizes: SIZES })
  const differences = existsSync(before) ? await comparePictures(page, { before, after: now, out: changed }) : []
  for (const { name, why, changed: share } of differences) {
    print(`${why === 'changed' ? `${((share ?? 0) * 100).toFixed(2)} %`.padStart(8) : why.padStart(8)}  ${name}`)
  }
  print(
    existsSync(before)
      ? `${differences.length} of ${taken} pictures differ from the run before; see ${FOLDER}`
      : `${taken} pictures were taken, and there are none of a run before; see ${FOLDER}`,
  )
} finally {
  await browser.close()
}

function print(line: string): void {
  process.stdout.write(`${line}\n`)
}

/** Each page of a node, and at the end what it looks like when the node goes away. */
async function takeAll(page: Page, state: string, node: FakeNode): Promise<void> {
  const { url, stop } = await serve(node)
  await page.goto(url)
  await page.getByTestId('base-url').waitFor()
  for (const [name, hash] of Object.entries(PAGES)) await take(page, `${name}-${state}`, hash)
  await stop()
  if (state !== 'many') return
  await page.getByRole('alert').first().waitFor()
  for (const name of ['home', 'share', 'settings'] as const) await take(page, `${name}-away`, PAGES[name])
}

/** A node that takes its time: what is seen until it answers. */
async function takeLoading(page: Page): Promise<void> {
  const [state] = STATES
  if (state === undefined) return
  const { url, stop } = await serve(state.node())
  await page.routeWebSocket(/.*/, () => undefined)
  await page.route(/\/(api|v1)\//, () => undefined)
  await page.goto(url)
  for (const name of ['home', 'share', 'models', 'network', 'traffic', 'settings'] as const) {
    await page.evaluate((to) => void (location.hash = to), PAGES[name])
    await page.getByRole('heading', { level: 1 }).waitFor()
    await take(page, `${name}-loading`, PAGES[name])
  }
  await page.unrouteAll()
  await stop()
}

async function serve(node: FakeNode): Promise<{ url: string; stop: () => Promise<void> }> {
  const dataDir = mkdtempSync(join(tmpdir(), 'ocf-shots-'))
  const server = createControlServer(
    {
      control: node.control,
      gatewayUrl: () => node.needs.gatewayUrl(),
      log: node.needs.log,
      monotonic: monotonicClock,
    },
    { port: 0, rendererDir: dirname(builtFile('renderer', 'index.html')), dataDir },
  )
  await server.start(new AbortController().signal)
  return {
    url: server.dashboardUrl,
    async stop() {
      await server.stop()
      node.control.feeds.stop()
      rmSync(dataDir, { recursive: true, force: true })
    },
  }
}

async function take(page: Page, name: string, hash: string): Promise<void> {
  if (ONLY.length > 0 && !ONLY.some((part) => name.includes(part))) return
  await page.evaluate((to) => void (location.hash = to), hash)
  const map = page.getByRole('heading', { name: 'Map' })
  const shoot = async (size: string, theme: string): Promise<void> => {
    await untilStill(page, !name.endsWith('-loading'))
    if (name.startsWith('map-') && (await map.count()) > 0) {
      await map.evaluate((heading) => heading.closest('section')?.scrollIntoView({ block: 'start' }))
    }
    await untilStill(page)
    await page.screenshot({ path: join(now, `${name}-${size}-${theme}.png`), animations: 'disabled', caret: 'hide' })
    taken += 1
  }
  for (const theme of THEMES) {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
    await page.waitForFunction((wanted) => document.documentElement.dataset['theme'] === wanted, theme)
    for (const [width, height] of SIZES) {
      await page.setViewportSize({ width, height })
      await shoot(String(width), theme)
    }
  }
  if (name.startsWith('map-') || name.startsWith('peer-')) return
  for (const width of WHOLE) {
    await page.setViewportSize({ width, height: 800 })
    await untilStill(page)
    const rest = await page.evaluate(() => {
      const main = document.querySelector('main')
      return main === null ? 0 : main.scrollHeight - main.clientHeight
    })
    if (rest <= 0) continue
    await page.setViewportSize({ width, height: Math.min(800 + rest, MAX_HEIGHT) })
    await shoot(`${width}-whole`, 'dark')
  }
}

/** Until two frames were drawn, and everything that is loaded is there. */
async function untilStill(page: Page, isLoaded = false): Promise<void> {
  if (isLoaded) {
    await page.waitForFunction(() => document.querySelector('[role=status][aria-label=Loading]') === null)
  }
  await page.evaluate(() => document.fonts.ready)
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
}
