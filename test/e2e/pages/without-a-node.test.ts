import { dirname } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { startServer } from '../../contract/transports.js'
import { builtFile } from '../../fixtures/built.js'
import { lendChromium, noChromium, type Browser } from '../../fixtures/chromium/launch.js'
import { createFurnishedNode } from '../furnished-node.js'

/** What a page shows whose node is gone, or no longer knows it: each test has a server of its own to take away. */
let browser: Browser
let page: Page
let started: Awaited<ReturnType<typeof startServer>>

const node = createFurnishedNode()
const rendererDir = (): string => dirname(builtFile('renderer', 'index.html'))
const gate = (title: string): Promise<void> => page.getByRole('heading', { name: title }).waitFor()
const alert = (text: string) => page.getByRole('alert').getByText(text)

beforeAll(async () => {
  if (noChromium === undefined) browser = await lendChromium()
})
afterAll(async () => {
  if (noChromium !== undefined) return
  await browser.close()
  node.control.feeds.stop()
})
beforeEach(async (context) => {
  context.skip(noChromium !== undefined, noChromium)
  started = await startServer(node, { rendererDir: rendererDir() })
  page = await browser.context.newPage()
})
afterEach(async () => {
  if (noChromium !== undefined) return
  await page.close()
  await started.close()
})

test('a page whose node is gone says so, keeps what it knew, and gives way to a gate once its link is too old', async () => {
  await page.goto(started.server.dashboardUrl)
  await page.getByTestId('base-url').waitFor()
  const port = Number(new URL(started.server.url).port)
  await started.server.stop()
  await alert('The node is not answering').waitFor()
  expect(await page.getByTestId('base-url').innerText()).toBe('http://127.0.0.1:8092/v1')
  const next = await startServer(node, { port, rendererDir: rendererDir() })
  await gate('This link no longer opens the dashboard')
  expect(await page.getByRole('navigation').count()).toBe(0)
  await page.goto(next.server.dashboardUrl)
  await page.getByTestId('base-url').waitFor()
  await next.close()
})

test('a page whose link is too old names the command for a new one, and asks the node nothing more', async () => {
  await page.clock.install()
  await page.goto(`${started.server.url}/#token=${'0'.repeat(started.server.token.length)}`)
  await gate('This link no longer opens the dashboard')
  await page.getByText('ocf open', { exact: true }).waitFor()
  const asked: string[] = []
  page.on('request', (request) => asked.push(request.url()))
  page.on('websocket', (socket) => asked.push(socket.url()))
  // Every clock of the page runs five minutes at once.
  await page.clock.runFor(300_000)
  expect(asked).toEqual([])
  expect(await page.getByText('rate_limited').count()).toBe(0)
})

test('a page without a key names the command that opens it', async () => {
  await page.goto(started.server.url)
  await gate('Open the dashboard with its link')
  await page.getByText('ocf open', { exact: true }).waitFor()
})

test('a page that can no longer be loaded says so, and the others go on', async () => {
  await page.goto(started.server.dashboardUrl)
  await page.getByTestId('base-url').waitFor()
  const follow = (link: string): Promise<void> => page.getByRole('link', { name: link, exact: true }).click()
  await page.route('**/assets/share-page-*.js', (route) => route.abort())
  await follow('Share')
  await page.getByText('This page could not be loaded').waitFor()
  await page.getByRole('button', { name: 'Reload' }).waitFor()
  await follow('Home')
  await page.getByTestId('base-url').waitFor()
  await follow('Models')
  await expect.poll(() => page.getByRole('heading', { level: 1 }).innerText()).toBe('You can use 5 models right now.')
})
