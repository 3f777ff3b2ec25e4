import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import type { FakeNode } from '../../contract/fake-node.js'
import { lendChromium, noChromium, type Browser } from '../../fixtures/chromium/launch.js'
import { openFakeDashboard, type FakeDashboard } from '../fake-dashboard.js'
import { createFurnishedNode } from '../furnished-node.js'
import { furnishSettings } from '../real-settings.js'

/** One node and one page for all tests of a file; each begins with a page that is loaded anew. */
export interface Walk {
  node: FakeNode
  page: Page
  dashboard: FakeDashboard
  /** What was saved of the settings, by name. */
  saved: Map<string, string | null>
  /** Opens a place of a freshly loaded page. */
  open: (hash: string) => Promise<void>
  heading: () => Promise<string>
}

/** Sets a file's walk up; `furnish` changes the node before the page is opened. */
export function startWalk(furnish: (node: FakeNode) => void = () => undefined): Walk {
  const walk = {} as Walk
  let browser: Browser
  beforeAll(async () => {
    if (noChromium !== undefined) return
    browser = await lendChromium()
    walk.node = createFurnishedNode()
    walk.saved = furnishSettings(walk.node)
    furnish(walk.node)
    walk.dashboard = await openFakeDashboard(browser, walk.node)
    walk.page = walk.dashboard.page
    walk.open = async (hash) => {
      await walk.dashboard.goTo(hash)
      await walk.page.reload()
      await settle(walk.page)
    }
    walk.heading = () => walk.page.getByRole('heading', { level: 1 }).innerText()
  })
  beforeEach((context) => context.skip(noChromium !== undefined, noChromium))
  afterEach(() => {
    if (noChromium === undefined) expect(walk.dashboard.complaints.splice(0)).toEqual([])
  })
  afterAll(async () => {
    if (noChromium !== undefined) return
    await walk.dashboard.close()
    await browser.close()
  })
  return walk
}

/** Waits until a page shows what it has to show. */
export async function settle(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor()
  await expect.poll(() => page.getByRole('heading', { level: 1 }).innerText()).not.toBe('Loading')
  await page.getByRole('status', { name: 'Loading' }).waitFor({ state: 'detached' })
}

/** Presses Tab until what has the focus is called so. */
export async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let count = 0; count < 60; count += 1) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate(() => {
      const element = document.activeElement
      const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : undefined
      return element?.getAttribute('aria-label') ?? label ?? element?.textContent ?? ''
    })
    if (name.test(focused)) return
  }
  throw new Error(`The keyboard does not reach ${String(name)}.`)
}
