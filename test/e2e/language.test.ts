import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { lendChromium, noChromium, type Browser } from '../fixtures/chromium/launch.js'
import { openFakeDashboard, type FakeDashboard } from './fake-dashboard.js'
import { createFurnishedNode } from './furnished-node.js'

/** What the pages are called in German. */
const PAGES = {
  home: 'Start',
  chat: 'Chat',
  share: 'Teilen',
  models: 'Modelle',
  network: 'Netzwerk',
  traffic: 'Verkehr',
}

let browser: Browser
let dashboard: FakeDashboard

beforeAll(async () => {
  if (noChromium === undefined) browser = await lendChromium()
})
afterAll(() => (noChromium === undefined ? browser.close() : undefined))
beforeEach(async (context) => {
  context.skip(noChromium !== undefined, noChromium)
  const node = createFurnishedNode()
  const read = node.needs.history.read.bind(node.needs.history)
  const times = { p50: 146, p90: 640, p95: 2700, p99: 5800 }
  node.needs.history.read = (range) => ({
    ...{ ...read(range), ttfbMs: times, ttfbOfMs: { out: times, in: null, local: null } },
    errors: [{ code: 'upstream_failed', count: 1234 }],
  })
  dashboard = await openFakeDashboard(browser, node)
})
afterEach(async () => {
  expect(dashboard.complaints).toEqual([])
  await dashboard.close()
})

const language = (): Promise<string> => dashboard.page.evaluate(() => document.documentElement.lang)

test('a person who chooses German gets every page in German, in all sizes, and English again on request', async () => {
  const { page } = dashboard
  expect(await language()).toBe('en')
  await dashboard.goTo('#/settings')
  await page.getByRole('combobox', { name: 'Language' }).selectOption('Deutsch')
  await page.getByRole('heading', { level: 2, name: 'Aussehen' }).waitFor()
  expect(await language()).toBe('de')
  await dashboard.look('german-settings')
  for (const [name, title] of Object.entries(PAGES)) {
    await dashboard.goTo(`#/${name}`)
    await page.locator('[aria-current="page"]', { hasText: title }).waitFor()
    // The buttons of Models stand beside each other at any width, in English too.
    if (name !== 'models') await dashboard.fit(`german-${name}`)
  }
  // Numbers, days and times as they are written in German.
  await dashboard.goTo('#/traffic')
  await page.getByText('2,7 s', { exact: true }).first().waitFor()
  await page.getByText('1.234', { exact: true }).waitFor()
  await dashboard.goTo('#/traffic/request-4')
  await page
    .getByRole('dialog')
    .getByText(/^\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d$/)
    .waitFor()
  await page.keyboard.press('Escape')
  await dashboard.goTo('#/share/~ledger')
  await page.getByRole('heading', { name: /seit 31\. Januar 2030 .* 3 Anfragen/ }).waitFor()
  await dashboard.goTo('#/settings')
  await page.getByRole('combobox', { name: 'Sprache' }).selectOption('English')
  await page.getByRole('heading', { level: 2, name: 'Appearance' }).waitFor()
  expect(await language()).toBe('en')
})
