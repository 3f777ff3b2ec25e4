import { mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ControlServer } from '../../src-main/api/http/index.js'
import { startServer } from '../contract/transports.js'
import { builtFile } from '../fixtures/built.js'
import { lendChromium, noChromium, type Browser } from '../fixtures/chromium/launch.js'
import { brokenRules, COLOUR_RULES } from './accessibility.js'
import { createFurnishedNode } from './furnished-node.js'

const SHOTS = process.env['OCF_SHOTS']

let browser: Browser
let page: Page
let server: ControlServer
let stopServer: () => Promise<void>

beforeAll(async () => {
  if (noChromium !== undefined) return
  browser = await lendChromium()
  const rendererDir = dirname(builtFile('renderer', 'index.html'))
  ;({ server, close: stopServer } = await startServer(createFurnishedNode(), { rendererDir }))
  page = await browser.context.newPage()
  await page.goto(server.dashboardUrl)
})
afterAll(async () => {
  if (noChromium !== undefined) return
  await browser.close()
  await stopServer()
})
beforeEach((context) => context.skip(noChromium !== undefined, noChromium))

async function look(name: string): Promise<void> {
  for (const colorScheme of ['light', 'dark'] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: 'reduce' })
    await page.waitForFunction((theme) => document.documentElement.dataset['theme'] === theme, colorScheme)
    expect(await brokenRules(page, colorScheme === 'dark' ? COLOUR_RULES : undefined)).toEqual([])
    if (SHOTS === undefined) continue
    mkdirSync(SHOTS, { recursive: true })
    await page.screenshot({ path: join(SHOTS, `${name}-${colorScheme}.png`) })
  }
}

test('an API key is made with the keyboard, shown once, listed without it and revoked after a question', async () => {
  await page.getByRole('link', { name: 'Settings', exact: true }).click()
  const card = page.getByRole('region', { name: 'API keys' })
  await card.scrollIntoViewIfNeeded()
  await card.getByText('phone').waitFor()
  await look('api-keys')
  await card.getByRole('button', { name: 'New key…' }).focus()
  await page.keyboard.press('Enter')
  await page.getByLabel('Name', { exact: true }).fill('laptop')
  await page.keyboard.press('Enter')
  await page.getByText(/^ocf_[A-Za-z0-9_-]{43}$/).waitFor()
  await page.getByRole('button', { name: 'Copy key' }).waitFor()
  await look('api-key-made')
  await page.keyboard.press('Escape')
  await card.getByText('laptop', { exact: true }).waitFor()
  expect(await page.locator('body').innerText()).not.toContain('ocf_k')

  for (const name of ['laptop', 'phone']) {
    await card.getByRole('button', { name: `Revoke the key of ${name}` }).click()
    await page.getByText('From its next request on, the app that uses it is refused.').waitFor()
    if (name === 'laptop') {
      await page.getByRole('button', { name: 'Cancel' }).click()
      await card.getByText('laptop', { exact: true }).waitFor()
      await card.getByRole('button', { name: `Revoke the key of ${name}` }).click()
      await look('api-key-revoke')
    }
    await page.getByRole('button', { name: 'Revoke key' }).click()
    await card.getByText(name, { exact: true }).waitFor({ state: 'detached' })
  }
  await card.getByText('No API keys yet.').waitFor()
  await look('api-keys-none')
})

test('requests are listed with the API key that asked and found by its name', async () => {
  await page.getByRole('link', { name: 'Traffic', exact: true }).click()
  const table = page.getByRole('table', { name: 'Traffic' })
  await table.getByText('phone').first().waitFor()
  await page.getByRole('searchbox').fill('phone')
  await expect.poll(() => page.getByRole('heading', { name: /\d+ of \d+ requests$/ }).count()).toBeGreaterThan(0)
  await look('traffic-keys')
})
