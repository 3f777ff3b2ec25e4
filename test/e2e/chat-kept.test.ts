import { readdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { lendChromium, noChromium, type Browser } from '../fixtures/chromium/launch.js'
import { OWNER_FILE } from '../fixtures/file-modes.js'
import { sseChunk, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { llmFlags } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'

const QUESTION = 'canary-of-a-question-5d1e'
const ANSWER = 'canary-of-an-answer-c07a'

let browser: Browser
let server: ModelServerFixture
let node: NodeProcess
let page: Page

beforeAll(async () => {
  if (noChromium === undefined) browser = await lendChromium()
})
afterAll(() => (noChromium === undefined ? browser.close() : undefined))

beforeEach(async (context) => {
  context.skip(noChromium !== undefined, noChromium)
  server = await startModelServer({
    answer(_request, response) {
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(`${sseChunk(ANSWER)}data: [DONE]\n\n`)
      return Promise.resolve()
    },
  })
  node = await startNodeProcess({ flags: ['--mode', 'standalone', '--log-level', 'trace', ...llmFlags(server.port)] })
  page = await browser.context.newPage()
  await page.goto(node.dashboard)
  await page.getByTestId('base-url').waitFor()
  await page.evaluate(() => void (location.hash = '#/chat'))
})
afterEach(async () => {
  if (noChromium !== undefined) return
  await page.close()
  await node.stop()
  await server.close()
})

const log = (): Locator => page.getByRole('log', { name: 'Conversation' })
const keep = (): Locator => page.getByRole('switch', { name: 'Keep chats on this computer' })
const chatFiles = async (): Promise<string[]> =>
  (await readdir(node.dataDir)).filter((name) => name.startsWith('chats')).sort()

async function ask(): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(QUESTION)
  await expect.poll(() => page.getByRole('button', { name: 'Send', exact: true }).isEnabled()).toBe(true)
  await page.keyboard.press('Enter')
  await log().getByText(ANSWER).waitFor()
  await page.getByRole('button', { name: 'Try again' }).waitFor()
}

/** Files of the data folder that hold a word that was asked or answered. */
async function filesWithWords(): Promise<string[]> {
  const found: string[] = []
  for (const entry of await readdir(node.dataDir, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const text = await readFile(path, 'latin1').catch(() => '')
    if ([QUESTION, ANSWER].some((word) => text.includes(word))) found.push(path)
  }
  return found
}

test('chats end with the page by default, and nothing of them is in the data folder', async () => {
  await page.getByText('In memory only.').waitFor()
  await ask()
  await page.reload()
  await page.getByRole('heading', { level: 1, name: 'New chat' }).waitFor()
  await expect.poll(() => keep().isEnabled()).toBe(true)
  expect(await page.getByText(QUESTION).count()).toBe(0)
  expect(await chatFiles()).toEqual([])
  expect(await filesWithWords()).toEqual([])
})

test('kept chats are there after a reload, lie encrypted in the data folder, and are gone once switched off', async () => {
  await keep().click()
  await expect.poll(() => keep().isChecked()).toBe(true)
  await page.getByText('the key is in a file that only your account can read').waitFor()
  await ask()
  // At once: what is not stored yet is stored as the page goes away.
  await page.reload()
  await page.getByRole('heading', { level: 1, name: QUESTION }).waitFor()
  await log().getByText(ANSWER).waitFor()
  expect(await chatFiles()).toEqual(['chats.bin'])
  expect((await stat(join(node.dataDir, 'chats.bin'))).mode & 0o777).toBe(OWNER_FILE)
  expect(await filesWithWords()).toEqual([])
  expect([QUESTION, ANSWER].some((word) => node.stderr().includes(word))).toBe(false)

  await keep().click()
  const question = page.getByRole('dialog', { name: 'Delete kept chats?' })
  await question.getByRole('button', { name: 'Cancel' }).click()
  expect(await keep().isChecked()).toBe(true)
  expect(await chatFiles()).toEqual(['chats.bin'])
  await keep().click()
  await question.getByRole('button', { name: 'Delete kept chats' }).click()
  await expect.poll(() => keep().isChecked()).toBe(false)
  expect(await chatFiles()).toEqual([])
  await log().getByText(ANSWER).waitFor()
  await page.reload()
  await page.getByRole('heading', { level: 1, name: 'New chat' }).waitFor()
  await expect.poll(() => keep().isEnabled()).toBe(true)
  expect(await page.getByText(QUESTION).count()).toBe(0)
})

test('the switch in Settings keeps chats and deletes them after the same question', async () => {
  await ask()
  await page.evaluate(() => void (location.hash = '#/settings/chats.keep'))
  await keep().click()
  await expect.poll(() => keep().isChecked()).toBe(true)
  await expect.poll(chatFiles).toEqual(['chats.bin'])
  await keep().click()
  await page.getByRole('dialog').getByRole('button', { name: 'Delete kept chats' }).click()
  await expect.poll(() => keep().isChecked()).toBe(false)
  expect(await chatFiles()).toEqual([])
})
