import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { lendChromium, noChromium, type Browser } from '../fixtures/chromium/launch.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'

/** A real node, started as `ocf start` starts it, and its dashboard in a real browser. */
let dataDir: string
let node: NodeProcess
let browser: Browser | undefined
let page: Page
const complaints: string[] = []
const FLAGS = ['--mode', 'standalone']

beforeAll(async () => {
  if (noChromium !== undefined) return
  dataDir = mkdtempSync(join(tmpdir(), 'ocf-dashboard-'))
  node = await startNodeProcess({ dataDir, flags: FLAGS })
  browser = await lendChromium()
  page = await browser.context.newPage()
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  await page.goto(node.dashboard)
})
afterAll(async () => {
  if (noChromium !== undefined) return
  await browser?.close()
  await node.stop()
  rmSync(dataDir, { recursive: true, force: true })
})
beforeEach((context) => {
  context.skip(noChromium !== undefined, noChromium)
})

test('the dashboard of a real node tells its own address', async () => {
  await page.getByTestId('base-url').waitFor()
  expect(await page.getByTestId('base-url').innerText()).toBe(`${node.gateway}/v1`)
})

test('the network page shows who this node is', async () => {
  await page.getByRole('link', { name: 'Network', exact: true }).click()
  await page.getByText(node.peerId, { exact: true }).waitFor()
  expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('No peer is connected right now.')
})

test('the settings page shows what was given on the command line', async () => {
  await page.getByRole('link', { name: 'Settings', exact: true }).click()
  await page.getByText('Share only at these hours').waitFor()
  // What the desktop app does by itself is not a browser's to change.
  expect(await page.getByText('This app', { exact: true }).count()).toBe(0)
  await page.getByRole('link', { name: 'Advanced', exact: true }).click()
  const row = page.getByRole('row').filter({ has: page.getByText('mode', { exact: true }) })
  await row.waitFor()
  expect(await row.innerText()).toMatch(/standalone[\s\S]*Flag/)
})

test('a request through the gateway appears in the traffic list', async () => {
  await page.getByRole('link', { name: 'Traffic', exact: true }).click()
  const response = await fetch(`${node.gateway}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ model: 'a-model-nobody-has', messages: [] }),
  })
  expect(response.ok).toBe(false)
  await page.getByText('a-model-nobody-has').waitFor()
})

test('the identity is saved as a locked file, which is known again and refused when it was changed', async () => {
  await page.getByRole('link', { name: 'Settings', exact: true }).click()
  await page.getByRole('button', { name: 'Back up…' }).click()
  const saving = page.getByRole('dialog', { name: 'Back up the identity' })
  await saving.getByLabel('Passphrase', { exact: true }).fill('correct horse')
  await saving.getByLabel('Repeat passphrase').fill('correct house')
  await saving.getByRole('button', { name: 'Save backup' }).click()
  await saving.getByRole('alert').getByText('Passphrases don’t match.').waitFor()
  await saving.getByLabel('Repeat passphrase').fill('correct horse')
  const saved = page.waitForEvent('download')
  await saving.getByRole('button', { name: 'Save backup' }).click()
  const file = await saved
  expect(file.suggestedFilename()).toMatch(/^ocf-identity-\w{8}-\d{4}-\d\d-\d\d\.json$/)
  const text = readFileSync(await file.path(), 'utf8')
  expect(JSON.parse(text)).toMatchObject({ format: 'ocf-identity-backup', peerId: node.peerId })

  await page.getByRole('button', { name: 'Restore…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Restore an identity' })
  const choose = (content: string): Promise<void> =>
    dialog
      .getByLabel('Backup file')
      .setInputFiles({ name: 'b.json', mimeType: 'application/json', buffer: Buffer.from(content) })
  await choose(text)
  await dialog.getByText('has the key this node already uses').waitFor()
  const other = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()
  await choose(text.replace(node.peerId, other))
  await dialog.getByText('peers no longer find it').waitFor()
  await dialog.getByLabel('Passphrase of the backup').fill('correct horse')
  await dialog.getByRole('button', { name: 'Restore', exact: true }).click()
  await dialog.getByRole('alert').getByText('or the file was changed').waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  expect(readdirSync(dataDir).filter((name) => name.startsWith('identity'))).toEqual(['identity.key'])
  expect(node.stderr()).not.toContain('correct horse')
  // The browser reports the refusal.
  expect(complaints.splice(0)).toHaveLength(1)
})

test('a restart loses neither the open page nor the count of today', async () => {
  await page.getByRole('link', { name: 'Traffic', exact: true }).click()
  const heading = page.getByRole('heading', { level: 1 })
  const today = '1 request today: 0 to peers\u00a0· 0 from peers\u00a0· 0 local\u00a0· 1 unanswered.'
  await expect.poll(() => heading.innerText()).toBe(today)
  const { port } = new URL(node.dashboard)
  await node.stop()
  await page.getByRole('alert').getByText('The node is not answering').waitFor()
  node = await startNodeProcess({ dataDir, flags: [...FLAGS, '--api-port', port] })
  // Its link lasts over restarts, so the page that is open is the page of the new one.
  await page.getByRole('alert').getByText('The node is not answering').waitFor({ state: 'detached' })
  await expect.poll(() => heading.innerText()).toBe(today)
  await page.getByRole('link', { name: 'Home', exact: true }).click()
  await page.getByRole('link', { name: /^Requests today\s*1/ }).waitFor()
  // The browser reports each call that found no one.
  complaints.length = 0
})

test('the browser had nothing to complain about', () => {
  expect(complaints).toEqual([])
})
