import { rm } from 'node:fs/promises'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { launchChromium, noChromium, type Browser } from '../fixtures/chromium/launch.js'
import { modelIds } from '../fixtures/node-pair.js'
import { startNodeProcess } from '../fixtures/node-process.js'
import { startSmallNetwork, type SmallNetwork } from './small-network.js'

/** A real network of two nodes: what a person does with the dashboard of one of them, from the first minute on. */
let network: SmallNetwork
let browser: Browser
let page: Page

beforeAll(async () => {
  if (noChromium !== undefined) return
  network = await startSmallNetwork({ peers: 1 })
  browser = await launchChromium()
  page = await browser.context.newPage()
  await page.goto(network.me.dashboard)
})
afterAll(async () => {
  if (noChromium !== undefined) return
  await browser.close()
  await network.stop()
})
beforeEach((context) => {
  context.skip(noChromium !== undefined, noChromium)
})

const heading = (): Promise<string> => page.getByRole('heading', { level: 1 }).innerText()
const focused = (): Promise<string> =>
  page.evaluate(() => document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent ?? '')

/** Presses Tab until the named thing has the focus. */
async function tabTo(name: RegExp): Promise<void> {
  for (let i = 0; i < 60; i += 1) {
    await page.keyboard.press('Tab')
    if (name.test(await focused())) return
  }
  throw new Error(`The keyboard does not reach ${String(name)}.`)
}

test('a new person shares a model within a minute, with the keyboard alone', async () => {
  const startedAt = performance.now()
  await page.getByRole('heading', { name: 'Welcome. Two ways to begin' }).waitFor()
  await tabTo(/^Share my model$/)
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'A server at another port' }).waitFor()
  await page.keyboard.press('g')
  await page.keyboard.press('s')
  const address = page.getByRole('textbox', { name: 'Address' })
  for (let i = 0; i < 60 && !(await address.evaluate((field) => field === document.activeElement)); i += 1) {
    await page.keyboard.press('Tab')
  }
  await page.keyboard.type(String(network.ollama.port))
  await page.keyboard.press('Enter')
  await page.getByRole('checkbox', { name: 'Share qwen3:8b' }).waitFor()
  await tabTo(/^Look again$/)
  await tabTo(/^Share nomic-embed-text/)
  await page.keyboard.press('Space')
  await tabTo(/^Share my model$/)
  await page.keyboard.press('Enter')
  await expect.poll(heading, { timeout: 20_000 }).toBe('You share 2 models from 1 server.')
  expect(performance.now() - startedAt).toBeLessThan(60_000)
  const peer = network.peers[0]!
  await expect.poll(() => modelIds(peer.gateway), { timeout: 20_000 }).toContain('qwen3:8b')
  expect(await modelIds(peer.gateway)).not.toContain('nomic-embed-text:latest')
})

test('sharing is paused and resumed, and the page says why', async () => {
  await page.getByRole('button', { name: 'Pause until I resume' }).click()
  await expect.poll(heading).toMatch(/^Sharing is paused: /)
  await page.getByRole('button', { name: 'Resume' }).click()
  await expect.poll(heading).toBe('You share 2 models from 1 server.')
})

test('a chat with a peer’s model streams, and tells who answered over which path', async () => {
  await page.evaluate(() => (location.hash = '#/models/mistral-small3.2%3A24b'))
  await page.getByRole('textbox', { name: 'Message' }).fill('How does this work?')
  await page.keyboard.press('Enter')
  const log = page.getByRole('log', { name: 'Try it' })
  await log.getByText(/as they are written\.$/).waitFor()
  const peerId = network.peers[0]!.peerId
  await log.getByRole('button', { name: `Copy ${peerId}` }).waitFor()
  await expect.poll(() => log.innerText()).toMatch(/45 tokens[\s\S]*tokens\/s[\s\S]*over Direct/)
})

test('an answer can be stopped, and what came stays', async () => {
  await page.getByRole('textbox', { name: 'Message' }).fill('Once more?')
  await page.keyboard.press('Enter')
  const log = page.getByRole('log', { name: 'Try it' })
  await expect.poll(() => log.getByText(/^A peer in this/).count()).toBe(2)
  await page.getByRole('button', { name: 'Stop' }).click()
  await log.getByText('Stopped').waitFor()
  await page.getByRole('button', { name: 'Send' }).waitFor()
})

test('one real request of one token shows the time of each leg', async () => {
  await page.getByRole('button', { name: 'Test' }).click()
  await page.getByText(/^It works: the first token came after/).waitFor()
})

test('a setting that was changed is kept over a crash, which the page notices by itself', async () => {
  await page.evaluate(() => (location.hash = '#/settings/gateway.idle-timeout'))
  await page.getByRole('button', { name: 'Change gateway.idle-timeout' }).click()
  const field = page.getByRole('textbox', { name: 'gateway.idle-timeout', exact: true })
  await field.fill('soon')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await page.getByRole('alert').filter({ hasText: 'invalid_settings' }).waitFor()
  await field.fill('7m')
  await page.getByRole('button', { name: 'Save', exact: true }).click()
  await field.waitFor({ state: 'detached' })

  await network.me.kill()
  await page.getByRole('alert').getByText('The node is not answering').waitFor()
  const { dataDir, dashboard } = network.me
  network.me = await startNodeProcess({
    dataDir,
    flags: ['--demo-model', 'off', '--api-port', new URL(dashboard).port],
  })
  await page.getByRole('alert').getByText('The node was started again').waitFor()
  await page.goto(network.me.dashboard)
  await page.getByTestId('base-url').waitFor()
  await page.evaluate(() => (location.hash = '#/settings'))
  const row = page.getByRole('row').filter({ has: page.getByText('gateway.idle-timeout', { exact: true }) })
  await expect.poll(() => row.innerText()).toMatch(/7m[\s\S]*File/)
  await page.evaluate(() => (location.hash = '#/share'))
  await expect.poll(heading, { timeout: 20_000 }).toBe('You share 2 models from 1 server.')
})

afterAll(async () => {
  if (noChromium === undefined) await rm(network.me.dataDir, { recursive: true, force: true })
})
