import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { Page } from 'playwright-core'
import { makeTraffic, startSmallNetwork, type SmallNetwork } from '../e2e/small-network.js'
import { launchChromium, noChromium } from '../fixtures/chromium/launch.js'

/**
 * Every page of the dashboard of a real small network, light and dark, in two sizes. Run it with
 * `npm run screenshots`; another folder than docs/screenshots may be given.
 */
const FOLDER = resolve(process.argv[2] ?? join(import.meta.dirname, '../../docs/screenshots'))
const SIZES = [
  [1280, 800],
  [900, 600],
] as const
const THEMES = ['light', 'dark'] as const

if (noChromium !== undefined) throw new Error(noChromium)
mkdirSync(FOLDER, { recursive: true })
const network = await startSmallNetwork()
const browser = await launchChromium()
try {
  const page = await browser.context.newPage()
  await page.goto(network.me.dashboard)
  await page.getByTestId('base-url').waitFor()
  await everyLook(page, 'first-run', '#/home')
  await share(page, network)
  await makeTraffic(network, 10)
  await everyLook(page, 'home', '#/home')
  await everyLook(page, 'share', '#/share')
  await page.getByRole('heading', { name: 'Right now' }).scrollIntoViewIfNeeded()
  await page.getByRole('heading', { name: 'Limits' }).scrollIntoViewIfNeeded()
  await everyLook(page, 'share-limits')
  await everyLook(page, 'models', '#/models')
  await chatOnce(page)
  await everyLook(page, 'chat')
  await everyLook(page, 'network', '#/network')
  await everyLook(page, 'peer', `#/network/${network.peers[0]?.peerId ?? ''}`)
  await page.evaluate(() => (location.hash = '#/network'))
  await page.getByRole('heading', { name: 'Bootstrap sources' }).scrollIntoViewIfNeeded()
  await everyLook(page, 'network-sources')
  await page.evaluate(() => (location.hash = '#/network/doctor'))
  await page.getByRole('button', { name: 'Copy report' }).waitFor()
  await page.getByRole('heading', { name: 'Doctor' }).scrollIntoViewIfNeeded()
  await everyLook(page, 'doctor')
  await everyLook(page, 'traffic', '#/traffic')
  await page.getByRole('table', { name: 'Traffic' }).scrollIntoViewIfNeeded()
  await everyLook(page, 'traffic-list')
  await page.getByRole('table', { name: 'Traffic' }).getByRole('link').first().click()
  await everyLook(page, 'request')
  await everyLook(page, 'settings', '#/settings')
  await page.keyboard.press('Control+k')
  await page.getByRole('combobox', { name: 'Go to or do anything' }).fill('mi')
  await everyLook(page, 'palette')
} finally {
  await browser.close()
  await network.stop()
}

async function everyLook(page: Page, name: string, hash?: string): Promise<void> {
  if (hash !== undefined) await page.evaluate((to) => (location.hash = to), hash)
  for (const [width, height] of SIZES) {
    await page.setViewportSize({ width, height })
    for (const theme of THEMES) {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
      await page.waitForFunction(() => document.querySelector('[role=status][aria-label=Loading]') === null)
      await page.waitForFunction((wanted) => document.documentElement.dataset['theme'] === wanted, theme)
      await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))))
      await page.screenshot({ path: join(FOLDER, `${name}-${width}-${theme}.png`) })
    }
  }
}

async function share(page: Page, { ollama }: SmallNetwork): Promise<void> {
  await page.evaluate(() => (location.hash = '#/share'))
  await page.getByRole('textbox', { name: 'Address' }).fill(String(ollama.port))
  await page.getByRole('button', { name: 'Check this port' }).click()
  await page.getByRole('button', { name: /^Use \d models on this computer only$/ }).waitFor()
  await everyLook(page, 'share-found')
  await page.getByRole('radio', { name: 'Everyone' }).check()
  await page.getByRole('button', { name: /^Share \d models with everyone$/ }).click()
  await page.getByRole('button', { name: 'Stop sharing' }).waitFor()
}

async function chatOnce(page: Page): Promise<void> {
  await page.evaluate(() => (location.hash = '#/chat/mistral-small3.2%3A24b'))
  await page.getByRole('textbox', { name: 'Message' }).fill('How does this network work?')
  await page.getByRole('button', { name: 'Send' }).click()
  await page.getByText('tokens/s').first().waitFor()
  await page.getByRole('button', { name: 'Send' }).waitFor()
}
