import { mkdirSync, mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import type { BrowserContext, Locator, Page } from 'playwright-core'
import { expect } from 'vitest'
import type { ControlServer } from '../../src-main/api/http/index.js'
import { createFakeNode, type FakeNode } from '../contract/fake-node.js'
import { startServer } from '../contract/transports.js'
import { builtFile } from '../fixtures/built.js'
import type { Browser } from '../fixtures/chromium/launch.js'
import { brokenRules, COLOUR_RULES } from './accessibility.js'

/** `OCF_SHOTS=/some/folder` keeps a picture of what is looked at. */
const SHOTS = process.env['OCF_SHOTS']
const SIZES = [
  [1280, 800],
  [900, 600],
  [480, 800],
] as const

/** The dashboard of a node that is under the test's hand. */
export interface FakeDashboard {
  page: Page
  /** The server behind it. */
  server: ControlServer
  /** Everything the page complained about: exceptions, console errors, blocked loads. */
  complaints: string[]
  goTo(hash: string): Promise<void>
  /**
   * Holds what is shown to the rules of accessibility in both themes, and to the width of the window in all sizes. What
   * changes on a page that is held to them elsewhere is named by `within`.
   */
  look(name: string, within?: Locator): Promise<void>
  /** Holds what is shown to the width of the window in all sizes. */
  fit(name: string): Promise<void>
  /** Takes the node away from the page, which stays. */
  leave(): Promise<void>
  close(): Promise<void>
}

/** Opens it in a page of the browser, which the tests of a file use one after the other. */
export async function openFakeDashboard(browser: Browser, node: FakeNode): Promise<FakeDashboard> {
  const { server, show } = await (stage ??= setUp())
  show(node)
  const page = await blankPage(browser.context)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  let isGone = false
  await page.goto(server.dashboardUrl)
  await page.getByTestId('base-url').waitFor()
  return {
    page,
    server,
    complaints,
    goTo: (hash) => page.evaluate((to) => void (location.hash = to), hash),
    look: (name, within) => look(page, name, within),
    fit: async (name) => {
      await untilDrawn(page)
      await fit(page, name)
    },
    async leave() {
      // The next one gets another server.
      stage = undefined
      isGone = true
      await server.stop()
    },
    async close() {
      // One whose server is gone leads nowhere.
      await (isGone ? page.close() : leavePage(page))
      node.control.feeds.stop()
    },
  }
}

/** A server that shows one node after the other: its pages keep their address, so that a browser compiles them once. */
interface Stage {
  server: ControlServer
  show: (node: FakeNode) => void
}
let stage: Promise<Stage> | undefined

async function setUp(): Promise<Stage> {
  let shown = createFakeNode()
  const rendererDir = dirname(builtFile('renderer', 'index.html'))
  const dataDir = mkdtempSync(join(process.env['TEST_SCRATCH'] ?? tmpdir(), 'ocf-control-'))
  const { server } = await startServer(
    {
      ...shown,
      control: {
        dispatch: (...call) => shown.control.dispatch(...call),
        feeds: {
          follow: (...follower) => shown.control.feeds.follow(...follower),
          stop: () => shown.control.feeds.stop(),
        },
      },
      needs: { ...shown.needs, gatewayUrl: () => shown.needs.gatewayUrl() },
    },
    { rendererDir, dataDir },
  )
  return { server, show: (node) => void (shown = node) }
}

const pages = new WeakMap<BrowserContext, Page>()

/** The page of this browser that no test has changed. */
async function blankPage(context: BrowserContext): Promise<Page> {
  const known = pages.get(context)
  if (known !== undefined && !known.isClosed()) {
    await leavePage(known)
    await known.setViewportSize({ width: 1280, height: 800 })
    await known.emulateMedia({ colorScheme: 'light', reducedMotion: null })
    return known
  }
  const page = await context.newPage()
  pages.set(context, page)
  return page
}

/** A still page of the same address: from it a dashboard is opened in half the time that it takes from a blank one. */
const STILL = '/starting.html'

/** Leaves what a test has opened, and forgets what the page kept of it. */
async function leavePage(page: Page): Promise<void> {
  const { origin, pathname } = new URL(page.url())
  if (pathname === STILL || origin === 'null') return
  await page.evaluate(() => {
    localStorage.clear()
    sessionStorage.clear()
  })
  await page.goto(`${origin}${STILL}`)
  page.removeAllListeners('pageerror').removeAllListeners('console')
}

async function look(page: Page, name: string, within?: Locator): Promise<void> {
  await untilDrawn(page)
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.waitForFunction((theme) => document.documentElement.dataset['theme'] === theme, colorScheme)
    // A theme changes colours and nothing else.
    const isSecond = colorScheme === 'dark'
    const broken = await brokenRules(page, isSecond ? COLOUR_RULES : undefined, within)
    expect(broken.map((rule) => `${name}, ${colorScheme}: ${rule}`)).toEqual([])
    if (!isSecond || SHOTS !== undefined) await fit(page, name, colorScheme)
  }
  await page.emulateMedia({ colorScheme: 'light' })
}

/** A page that is gone to is loaded first. */
async function untilDrawn(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page.locator('[role=status][class*=skeleton]').first().waitFor({ state: 'detached' })
}

async function fit(page: Page, name: string, colorScheme = 'light'): Promise<void> {
  for (const [width, height] of SIZES) {
    await page.setViewportSize({ width, height })
    const wider = await page.evaluate(() => {
      const boxes = [...document.querySelectorAll('main, dialog > div')]
      return boxes.filter((box) => box.scrollWidth > box.clientWidth).map((box) => box.className)
    })
    expect(wider, `${name} at ${width}`).toEqual([])
    if (SHOTS === undefined) continue
    mkdirSync(SHOTS, { recursive: true })
    await page.screenshot({ path: join(SHOTS, `${name}-${width}-${colorScheme}.png`) })
  }
  await page.setViewportSize({ width: 1280, height: 800 })
}

/** Opens the palette; its field has the focus. */
export async function openPalette(page: Page): Promise<void> {
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: 'Go to or do anything' }).waitFor()
}
