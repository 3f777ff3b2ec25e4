import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { generateKeyPair } from '@libp2p/crypto/keys'
import { peerIdFromPrivateKey } from '@libp2p/peer-id'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { builtFile } from '../fixtures/built.js'
import { launchChromium, noChromium, type Browser } from '../fixtures/chromium/launch.js'

/** A real node, started as `ocf start` starts it, and its dashboard in a real browser. */
let dataDir: string
let child: ChildProcess
let exited: Promise<number | null>
let stderr = ''
let ready: { dashboard: string; gateway: string; peerId: string }
let browser: Browser | undefined
let page: Page
const complaints: string[] = []

beforeAll(async () => {
  if (noChromium !== undefined) return
  dataDir = mkdtempSync(join(tmpdir(), 'ocf-dashboard-'))
  ready = await startNode()
  browser = await launchChromium()
  page = await browser.context.newPage()
  page.on('pageerror', (error) => complaints.push(error.message))
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
  await page.goto(ready.dashboard)
})
afterAll(async () => {
  if (noChromium !== undefined) return
  await browser?.close()
  child.kill('SIGTERM')
  await exited
  rmSync(dataDir, { recursive: true, force: true })
})
beforeEach((context) => {
  context.skip(noChromium !== undefined, noChromium)
})

async function startNode(): Promise<typeof ready> {
  child = spawn(
    process.execPath,
    [
      builtFile('main', 'headless.js'),
      ...[
        'start',
        '--ready-json',
        '--mode',
        'standalone',
        '--p2p-host',
        '127.0.0.1',
        '--data-dir',
        join(dataDir, 'node'),
      ],
      ...['--port', '0', '--api-port', '0', '--tcpport', '0', '--wsport', '0', '--udpport', '0'],
    ],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  )
  child.stderr?.on('data', (data) => (stderr += String(data)))
  exited = new Promise((resolve) => child.once('exit', resolve))
  const ended = exited.then((code) => {
    throw new Error(`The node ended with ${code} before it was ready:\n${stderr}`)
  })
  const said = (async () => {
    if (child.stdout === null) throw new Error('The node has no standard output.')
    for await (const line of createInterface({ input: child.stdout })) {
      const message = JSON.parse(line) as typeof ready & { event: string }
      if (message.event === 'ready') return message
    }
    return ended
  })()
  const first = await Promise.race([said, ended])
  ended.catch(() => undefined) // The end of the node is awaited in afterAll.
  return first
}

test('the dashboard of a real node tells its own address', async () => {
  await page.getByTestId('base-url').waitFor()
  expect(await page.getByTestId('base-url').innerText()).toBe(`${ready.gateway}/v1`)
})

test('the network page shows who this node is', async () => {
  await page.getByRole('link', { name: 'Network', exact: true }).click()
  await page.getByText(ready.peerId, { exact: true }).waitFor()
  expect(await page.getByRole('heading', { level: 1 }).innerText()).toBe('No peer is connected right now.')
})

test('the settings page shows what was given on the command line', async () => {
  await page.getByRole('link', { name: 'Settings', exact: true }).click()
  const row = page.getByRole('row').filter({ has: page.getByText('mode', { exact: true }) })
  await row.waitFor()
  expect(await row.innerText()).toMatch(/standalone[\s\S]*Flag/)
  // What the desktop app does by itself is not a browser's to change.
  expect(await page.getByText('This app', { exact: true }).count()).toBe(0)
})

test('a request through the gateway appears in the traffic list', async () => {
  await page.getByRole('link', { name: 'Traffic', exact: true }).click()
  const response = await fetch(`${ready.gateway}/v1/chat/completions`, {
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
  expect(JSON.parse(text)).toMatchObject({ format: 'ocf-identity-backup', peerId: ready.peerId })

  await page.getByRole('button', { name: 'Restore…' }).click()
  const dialog = page.getByRole('dialog', { name: 'Restore an identity' })
  const choose = (content: string): Promise<void> =>
    dialog
      .getByLabel('Backup file')
      .setInputFiles({ name: 'b.json', mimeType: 'application/json', buffer: Buffer.from(content) })
  await choose(text)
  await dialog.getByText('has the key this node already uses').waitFor()
  const other = peerIdFromPrivateKey(await generateKeyPair('Ed25519')).toString()
  await choose(text.replace(ready.peerId, other))
  await dialog.getByText('other peers no longer find it').waitFor()
  await dialog.getByLabel('Passphrase of the backup').fill('correct horse')
  await dialog.getByRole('button', { name: 'Restore', exact: true }).click()
  await dialog.getByRole('alert').getByText('or the file was changed').waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  expect(readdirSync(join(dataDir, 'node')).filter((name) => name.startsWith('identity'))).toEqual(['identity.key'])
  expect(stderr).not.toContain('correct horse')
  // The browser reports the refusal.
  expect(complaints.splice(0)).toHaveLength(1)
})

test('the browser had nothing to complain about', () => {
  expect(complaints).toEqual([])
})
