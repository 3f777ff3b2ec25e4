import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { chat, modelIds, untilListed } from '../../fixtures/node-pair.js'
import { startNeighbours, type Neighbours } from '../small-network.js'
import type { Dashboard, Transport } from './transports.js'

/** A busy machine may take this long. */
const SLOW = { timeout: 40_000 }

/** What a person does from the first minute on, with a real node and a real peer. The tests build on one another. */
export function describeJourney(transport: Transport): void {
  const { skip } = transport
  let dashboard: Dashboard
  let around: Neighbours

  const page = (): Page => dashboard.page()
  const goTo = (hash: string): Promise<void> => page().evaluate((to) => void (location.hash = to), hash)
  const heading = (): Promise<string> => page().getByRole('heading', { level: 1 }).innerText()
  const modelsOfPeer = (): Promise<string[]> => modelIds(around.peers[0]!.gateway)
  const timeoutRow = (): Promise<string> =>
    page()
      .getByRole('row')
      .filter({ has: page().getByText('gateway.idle-timeout', { exact: true }) })
      .innerText()

  beforeAll(async () => {
    if (skip !== undefined) return
    dashboard = await transport.open()
    around = await startNeighbours({ gateway: dashboard.gateway() }, 1)
  })
  afterAll(async () => {
    if (skip !== undefined) return
    await dashboard.close()
    await around.stop()
  })
  beforeEach((context) => {
    context.skip(skip !== undefined, skip)
  })

  test('a new person shares a model within a minute, with the keyboard alone', async () => {
    const startedAt = performance.now()
    await page()
      .getByRole('heading', { name: /^Welcome: two questions/ })
      .waitFor()
    await tabTo(page(), /^Choose for each model$/)
    await page().keyboard.press('Enter')
    await page().getByRole('heading', { name: 'Add a server by address' }).waitFor()
    await page().keyboard.press('g')
    await page().keyboard.press('s')
    const address = page().getByRole('textbox', { name: 'Address' })
    for (let i = 0; i < 60 && !(await address.evaluate((field) => field === document.activeElement)); i += 1) {
      await page().keyboard.press('Tab')
    }
    await page().keyboard.type(String(around.ollama.port))
    await page().keyboard.press('Enter')
    await page().getByRole('checkbox', { name: 'Share qwen3:8b' }).waitFor()
    await page()
      .getByText(/^Ollama 0\.13\.1/)
      .waitFor()
    await tabTo(page(), /^Rescan$/)
    await tabTo(page(), /^Only me$/)
    await page().keyboard.press('ArrowRight')
    await page().keyboard.press('ArrowRight')
    await tabTo(page(), /^Share nomic-embed-text/)
    await page().keyboard.press('Space')
    await tabTo(page(), /^Share 2 models with everyone$/)
    await page().keyboard.press('Enter')
    await expect.poll(heading, SLOW).toBe('You share 2 models with everyone.')
    expect(performance.now() - startedAt).toBeLessThan(60_000)
  })

  test('a second node uses the model that is shared, and no other', async () => {
    const [peer] = around.peers
    await untilListed(peer!.gateway, 'qwen3:8b', SLOW.timeout)
    expect(await modelsOfPeer()).not.toContain('nomic-embed-text:latest')
    const answer = await chat(peer!.gateway, { model: 'qwen3:8b' })
    expect(answer.status).toBe(200)
    expect(await answer.text()).toContain('lends its graphics card')
  })

  test('the traffic shows what was served, and for whom', async () => {
    await goTo('#/traffic')
    const row = page().getByRole('table', { name: 'Traffic' }).getByRole('row').filter({ hasText: 'qwen3:8b' })
    await expect.poll(() => row.innerText(), SLOW).toMatch(/In[\s\S]*qwen3:8b[\s\S]*200/)
    await row.getByTitle('A peer used this computer.').waitFor()
    await row.getByRole('button', { name: `Copy ${around.peers[0]!.peerId}` }).waitFor()
    await expect.poll(heading, SLOW).toMatch(/\b1 from peers\b/)
  })

  test('sharing is paused and resumed, and the page says why', async () => {
    await goTo('#/share')
    await page().getByRole('button', { name: 'Pause until I resume' }).click()
    await expect.poll(heading, SLOW).toMatch(/^Sharing is paused: /)
    await page().getByRole('button', { name: 'Resume' }).click()
    await expect.poll(heading, SLOW).toBe('You share 2 models with everyone.')
  })

  test('what is no longer shared is gone for peers, and can be shared again', async () => {
    await page().getByRole('button', { name: 'Stop sharing' }).click()
    await expect.poll(heading, SLOW).not.toMatch(/^You share \d/)
    await page().getByText('Shared with everyone').waitFor({ state: 'detached' })
    await expect.poll(modelsOfPeer, SLOW).not.toContain('qwen3:8b')
    await page().getByRole('button', { name: 'Share 2 models with everyone' }).click()
    await expect.poll(heading, SLOW).toBe('You share 2 models with everyone.')
  })

  test('a chat with a peer’s model streams, and tells who answered over which path', async () => {
    await goTo('#/chat/mistral-small3.2%3A24b')
    await page().getByRole('textbox', { name: 'Message' }).fill('How does this work?')
    await expect.poll(() => page().getByRole('button', { name: 'Send' }).isEnabled(), SLOW).toBe(true)
    await page().keyboard.press('Enter')
    const log = page().getByRole('log', { name: 'Conversation' })
    await expect.poll(() => log.innerText({ timeout: 5_000 }), SLOW).toMatch(/as they are written\.\s/)
    await log.getByRole('button', { name: `Copy ${around.peers[0]!.peerId}` }).waitFor()
    await expect.poll(() => log.innerText(), SLOW).toMatch(/45 tokens[\s\S]*tokens\/s[\s\S]*over Direct/)
  })

  test('an answer can be stopped, and what came stays', async () => {
    await page().getByRole('textbox', { name: 'Message' }).fill('Once more?')
    await page().keyboard.press('Enter')
    const log = page().getByRole('log', { name: 'Conversation' })
    await expect.poll(() => log.getByText(/^A peer in this/).count(), SLOW).toBe(2)
    await page().getByRole('button', { name: 'Stop' }).click()
    await log.getByText('Stopped').waitFor()
    await page().getByRole('button', { name: 'Send' }).waitFor()
  })

  test('one real request of one token shows the time of each leg', async () => {
    await goTo('#/models/mistral-small3.2%3A24b')
    await page().getByRole('button', { name: 'Test' }).click()
    await page()
      .getByText(/^It works: the first token came after/)
      .waitFor()
  })

  test('a node that crashes is back and says so; what was set and shared is kept', async () => {
    await goTo('#/settings/gateway.idle-timeout')
    await page().getByRole('button', { name: 'Change gateway.idle-timeout' }).click()
    const field = page().getByRole('textbox', { name: 'gateway.idle-timeout', exact: true })
    await field.fill('soon')
    await page().getByRole('button', { name: 'Save', exact: true }).click()
    await page().getByRole('alert').filter({ hasText: 'invalid_settings' }).waitFor()
    await field.fill('7m')
    await page().getByRole('button', { name: 'Save', exact: true }).click()
    await field.waitFor({ state: 'detached' })
    await dashboard.crash()
    await goTo('#/settings/gateway.idle-timeout')
    await expect.poll(timeoutRow, SLOW).toMatch(/7m[\s\S]*File/)
    await goTo('#/share')
    await expect.poll(heading, SLOW).toBe('You share 2 models with everyone.')
  })
}

/** Presses Tab until the named thing has the focus. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let i = 0; i < 60; i += 1) {
    await page.keyboard.press('Tab')
    const focused = await page.evaluate(() => {
      const element = document.activeElement
      const label = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : undefined
      return element?.getAttribute('aria-label') ?? label ?? element?.textContent ?? ''
    })
    if (name.test(focused)) return
  }
  throw new Error(`The keyboard does not reach ${String(name)}.`)
}
