import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { lendChromium, noChromium, type Browser } from '../fixtures/chromium/launch.js'
import { startPacedOllama, type PacedOllama } from '../fixtures/model-servers/paced-ollama.js'
import { chat, untilListed } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'

/** A busy machine may take this long. */
const SLOW = 40_000
const MODEL = 'qwen3:8b'

/** Two real nodes that know nothing of each other, and their dashboards in a real browser. */
let browser: Browser
let ollama: PacedOllama
let ann: NodeProcess
let bob: NodeProcess
let pageOfAnn: Page
let pageOfBob: Page

beforeAll(async () => {
  if (noChromium !== undefined) return
  browser = await lendChromium()
  ollama = await startPacedOllama({
    models: [{ name: MODEL, sizeBytes: 5_225_388_164, parameters: '8.2B', quantisation: 'Q4_K_M' }],
  })
  const flags = ['--demo-model', 'off', '--mode', 'node', '--mdns', 'false']
  ;[ann, bob] = await Promise.all([startNodeProcess({ flags }), startNodeProcess({ flags })])
  ;[pageOfAnn, pageOfBob] = [await browser.context.newPage(), await browser.context.newPage()]
  await pageOfAnn.goto(ann.dashboard)
  await pageOfBob.goto(bob.dashboard)
})
afterAll(async () => {
  if (noChromium !== undefined) return
  await browser.close()
  await Promise.all([ann.stop(), bob.stop()])
  await ollama.close()
})
beforeEach((context) => context.skip(noChromium !== undefined, noChromium))

const goTo = (page: Page, hash: string): Promise<void> => page.evaluate((to) => void (location.hash = to), hash)

async function nameOwnNode(page: Page, name: string): Promise<void> {
  await goTo(page, '#/network')
  const card = page.getByRole('region', { name: 'People', exact: true })
  await card.getByRole('button', { name: 'Change…' }).click()
  await page.getByRole('textbox', { name: 'Name' }).fill(name)
  await page.keyboard.press('Enter')
  await card.getByText(`You are called ${name}`).waitFor()
}

test('a model of one’s own server is used through the gateway without being shared with anyone', async () => {
  await goTo(pageOfAnn, '#/share')
  await pageOfAnn.getByRole('textbox', { name: 'Address' }).fill(String(ollama.port))
  await pageOfAnn.getByRole('button', { name: 'Check this port' }).click()
  await pageOfAnn.getByRole('button', { name: 'Use 1 model on this computer only' }).click()
  const heading = 'Your apps can use 1 model on this computer. You share none with others.'
  await pageOfAnn.getByRole('heading', { name: heading }).waitFor({ timeout: SLOW })
  const answer = await chat(ann.gateway, { model: MODEL })
  expect(await answer.text()).toContain('lends its graphics card')
})

test('a model for people one trusts is used by a person who joined with an invite, within a minute of pasting it', async () => {
  await nameOwnNode(pageOfAnn, 'Ann')
  await nameOwnNode(pageOfBob, 'Bob')
  await goTo(pageOfAnn, '#/share')
  await pageOfAnn.getByRole('radio', { name: 'People I trust' }).check()
  await pageOfAnn.getByRole('button', { name: 'Share 1 model with people you trust' }).click()
  await pageOfAnn.getByRole('heading', { name: 'You share 1 model with people you trust.' }).waitFor({ timeout: SLOW })

  await goTo(pageOfAnn, '#/network/invite')
  await pageOfAnn.getByRole('button', { name: 'Make invite' }).click()
  const text = await pageOfAnn.getByText(/^ocf1[\w-]+$/).innerText()
  await pageOfAnn.getByRole('button', { name: 'Done' }).click()

  await goTo(pageOfBob, '#/home')
  await pageOfBob.getByRole('radio', { name: 'People I know' }).check()
  const startedAt = performance.now()
  await pageOfBob.getByRole('textbox', { name: 'Invite or address' }).fill(text)
  await pageOfBob.keyboard.press('Enter')
  await pageOfBob.getByRole('button', { name: 'Join Ann' }).click()
  await pageOfBob.getByText('You and Ann trust each other now.').waitFor({ timeout: SLOW })
  await untilListed(bob.gateway, MODEL, SLOW)
  const answer = await chat(bob.gateway, { model: MODEL })
  expect(answer.status).toBe(200)
  expect(await answer.text()).toContain('lends its graphics card')
  expect(performance.now() - startedAt).toBeLessThan(60_000)
})

test('both see each other by name, and the invite is used up', async () => {
  await goTo(pageOfAnn, '#/network')
  await pageOfAnn.getByRole('table', { name: 'People' }).getByText('Bob').waitFor()
  expect(await pageOfAnn.getByRole('table', { name: 'Open invites' }).count()).toBe(0)
  await goTo(pageOfBob, '#/network')
  await pageOfBob.getByRole('table', { name: 'People' }).getByText('Ann').waitFor()
  await pageOfBob.getByText('invited you').waitFor()
})

test('a model is closed to a person who is no longer trusted', async () => {
  await pageOfAnn.getByRole('button', { name: 'Remove Bob' }).click()
  await pageOfAnn.getByRole('button', { name: 'Stop trusting' }).click()
  await pageOfAnn.getByText('You don’t trust anyone yet.').waitFor()
  const answer = await chat(bob.gateway, { model: MODEL })
  expect(answer.ok).toBe(false)
  expect(await answer.text()).not.toContain('lends its graphics card')
})
