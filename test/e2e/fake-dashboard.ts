import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import type { FakeNode } from '../contract/fake-node.js'
import { startServer } from '../contract/transports.js'
import { builtFile } from '../fixtures/built.js'
import type { Browser } from '../fixtures/chromium/launch.js'

/** `OCF_SHOTS=/some/folder` keeps a picture of what is looked at. */
const SHOTS = process.env['OCF_SHOTS']
const SIZES = [
  [1280, 800],
  [900, 600],
  [480, 800],
] as const

/** The rules of accessibility that look at colours: all that a second theme can break. */
export const COLOUR_RULES = ['color-contrast', 'link-in-text-block']

/** The dashboard of a node that is under the test's hand. */
export interface FakeDashboard {
  page: Page
  /** Everything the page complained about: exceptions, console errors, blocked loads. */
  complaints: string[]
  goTo(hash: string): Promise<void>
  /** Holds what is shown to the rules of accessibility in both themes, and to the width of the window in all sizes. */
  look(name: string): Promise<void>
  close(): Promise<void>
}

/** Opens it in a page of its own. */
export async function openFakeDashboard(browser: Browser, node: FakeNode): Promise<FakeDashboard> {
  const rendererDir = dirname(builtFile('renderer', 'index.html'))
  const { server, close } = await startServer(node, { rendererDir })
  const page = await browser.context.newPage()
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  await page.goto(server.dashboardUrl)
  await page.getByTestId('base-url').waitFor()
  return {
    page,
    complaints,
    goTo: (hash) => page.evaluate((to) => void (location.hash = to), hash),
    look: (name) => look(page, name),
    async close() {
      await page.evaluate(() => localStorage.clear())
      await page.close()
      await close()
      node.control.feeds.stop()
    },
  }
}

async function look(page: Page, name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.waitForFunction((theme) => document.documentElement.dataset['theme'] === theme, colorScheme)
    const axe = new AxeBuilder({ page }).setLegacyMode()
    // A theme changes colours and nothing else.
    if (colorScheme === 'dark') axe.withRules(COLOUR_RULES)
    const { violations } = await axe.analyze()
    const where = (nodes: { html: string }[]): string => nodes.map(({ html }) => html).join(' | ')
    expect(violations.map(({ id, nodes }) => `${name}, ${colorScheme}: ${id}: ${where(nodes)}`)).toEqual([])
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
  await page.emulateMedia({ colorScheme: 'light' })
}
