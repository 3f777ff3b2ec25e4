import { spawn, type ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
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

test('the browser had nothing to complain about', () => {
  expect(complaints).toEqual([])
})
