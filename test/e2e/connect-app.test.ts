import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { APPS } from '../../src-renderer/features/home/apps.js'
import { formatDay } from '../../src-renderer/strings/format.js'
import { lendChromium, noChromium, type Browser } from '../fixtures/chromium/launch.js'
import { openFakeDashboard, type FakeDashboard } from './fake-dashboard.js'
import { createFurnishedNode } from './furnished-node.js'

let browser: Browser
let dashboard: FakeDashboard

beforeAll(async () => {
  if (noChromium === undefined) browser = await lendChromium()
})
afterAll(() => (noChromium === undefined ? browser.close() : undefined))
beforeEach(async (context) => {
  context.skip(noChromium !== undefined, noChromium)
  dashboard = await openFakeDashboard(browser, createFurnishedNode())
})
afterEach(async () => {
  expect(dashboard.complaints).toEqual([])
  await dashboard.close()
})

test('every app has a tab with code for this gateway, a copy button, and says whether it was tried', async () => {
  const { page } = dashboard
  const tabs = page.getByRole('tablist', { name: 'Apps' })
  await tabs.waitFor()
  for (const { name, tried } of APPS) {
    await tabs.getByRole('tab', { name, exact: true }).click()
    const panel = page.getByRole('tabpanel', { name, exact: true })
    const code = await panel.getByLabel(name, { exact: true }).innerText()
    // Cursor can't use an address on this computer, and its tab says so.
    if (name !== 'Cursor') expect(code).toContain('http://127.0.0.1:8092')
    await panel.getByRole('button', { name: 'Copy' }).waitFor()
    const [version, day = ''] = (tried ?? '').split(', ')
    const said = `Tested with ${name} ${version} on ${formatDay(day)}.`
    await panel.getByText(tried === null ? 'Not tested yet' : said).waitFor()
  }
  await dashboard.look('connect-app')
})

test('arrow keys walk through the apps', async () => {
  const { page } = dashboard
  const tabs = page.getByRole('tablist', { name: 'Apps' })
  await tabs.getByRole('tab', { name: 'curl', exact: true }).focus()
  await page.keyboard.press('ArrowRight')
  await page.getByRole('tabpanel', { name: 'Claude Code' }).waitFor()
  await expect.poll(() => page.evaluate(() => document.activeElement?.textContent)).toBe('Claude Code')
})
