import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Nearby, Pairing } from '#shared/contract/people/pairing.js'
import { createFakeNode, type FakeNode } from '../contract/fake-node.js'
import { FRIEND, NEIGHBOUR } from '../contract/fake-people.js'
import { lendChromium, noChromium, type Browser } from '../fixtures/chromium/launch.js'
import { flagsToJoin } from '../fixtures/node-pair.js'
import { startNodeProcess, type NodeProcess } from '../fixtures/node-process.js'
import { brokenRules } from './accessibility.js'
import { openFakeDashboard, type FakeDashboard } from './fake-dashboard.js'

/** A busy machine may take this long. */
const SLOW = 40_000

let browser: Browser
beforeAll(async () => {
  if (noChromium === undefined) browser = await lendChromium()
})
afterAll(() => (noChromium === undefined ? browser.close() : undefined))
beforeEach((context) => context.skip(noChromium !== undefined, noChromium))

describe('the screens of pairing', () => {
  let node: FakeNode
  let dashboard: FakeDashboard
  beforeEach(() => {
    node = createFakeNode()
  })
  afterEach(async () => {
    expect(dashboard.complaints).toEqual([])
    await dashboard.close()
  })

  const open = async (hash: string): Promise<Page> => {
    dashboard = await openFakeDashboard(browser, node)
    await dashboard.goTo(hash)
    return dashboard.page
  }

  /** Pairing that changes as the test says. */
  function livelyPairing(nearby: Nearby[] = [...node.needs.people.pairing.nearby()]) {
    const { pairing: fake } = node.needs.people
    const listeners = new Set<() => void>()
    const asked: unknown[] = []
    const first: Pairing = {
      ...{ peerId: NEIGHBOUR, name: null, address: '192.168.7.2', direction: 'outgoing', state: 'reaching' },
      ...{ code: null, theyConfirmed: false, untilMs: null, ending: null, sentence: null, sinceMs: 0 },
    }
    const now = { nearby, pairings: [] as Pairing[] }
    const set = (change: Partial<Pairing>): Pairing => {
      const next = { ...(now.pairings[0] ?? first), ...change }
      now.pairings = [next]
      for (const listener of listeners) listener()
      return next
    }
    Object.assign(fake, {
      nearby: () => now.nearby,
      list: () => now.pairings,
      pair(peerId: string) {
        asked.push(['pair', peerId])
        return set({ ...first, sinceMs: Date.now() })
      },
      confirm(peerId: string, code: string) {
        asked.push(['confirm', peerId, code])
        return set({ state: 'waiting' })
      },
      refuse(peerId: string, { differ }: { differ: boolean }) {
        asked.push(['refuse', peerId, differ])
        const sentence = differ ? 'You said that the codes differ.' : 'You did not confirm.'
        return Promise.resolve(set({ ...over, ending: differ ? 'differ' : 'refused', sentence }))
      },
      onChanged(listener: () => void) {
        listeners.add(listener)
        return () => listeners.delete(listener)
      },
    })
    const show = (): Pairing => set({ state: 'compare', code: '043 124', untilMs: Date.now() + 119_000 })
    /** The other computer answers the `nth` request to pair: not before that has come. */
    const answer = async (nth: number): Promise<void> => {
      await expect.poll(() => asked.filter((call) => (call as unknown[])[0] === 'pair').length).toBe(nth)
      show()
    }
    return { asked, set, answer, show }
  }
  const over = { state: 'over' as const, code: null, untilMs: null }

  test('a click on a node nearby shows a code, says how long there is, and confirms with the keyboard what is on both screens', async () => {
    const pairing = livelyPairing()
    const page = await open('#/network')
    const nearby = page.getByRole('region', { name: 'Nearby' })
    await nearby.getByText('at 192.168.7.2').waitFor()
    await dashboard.look('nearby', nearby)
    await nearby.getByRole('button', { name: /^Pair with Unknown/ }).click()
    const dialog = page.getByRole('dialog', { name: /^Pair with/ })
    await dialog.getByText('Asking the other computer for a code…').waitFor()
    await dashboard.look('pair-reaching')
    await pairing.answer(1)
    await dialog.getByText('043 124', { exact: true }).waitFor()
    await dialog.getByText(/^1:\d\d left$/).waitFor()
    // A screen reader says digits, and no number of thousands.
    await dialog.getByRole('status').getByText('The code is 0 4 3 1 2 4').waitFor()
    await dashboard.look('pair-code')
    // Enter typed for something else must not confirm.
    expect(await page.evaluate(() => document.activeElement?.textContent)).not.toBe('They match')
    await dialog.getByRole('button', { name: 'They match' }).focus()
    await page.keyboard.press('Enter')
    await dialog.getByText('You confirmed. Waiting for the other person…').waitFor()
    await dashboard.look('pair-waiting')
    pairing.set({ ...over, ending: 'trusted', name: 'Bob', sentence: 'You and Bob trust each other now.' })
    await dialog.getByText('You and Bob trust each other now.').waitFor()
    await dashboard.look('pair-trusted')
    await dialog.getByRole('link', { name: 'See what you can use' }).waitFor()
    await dialog.getByRole('status').getByRole('button', { name: 'Close' }).click()
    await dialog.waitFor({ state: 'detached' })
    expect(pairing.asked).toEqual([
      ['pair', NEIGHBOUR],
      ['confirm', NEIGHBOUR, '043 124'],
    ])
  })

  test('codes that differ are said to, a closed dialog refuses, and one can pair again', async () => {
    const pairing = livelyPairing()
    const page = await open('#/network')
    await page.getByRole('button', { name: /^Pair with Unknown/ }).click()
    const dialog = page.getByRole('dialog', { name: /^Pair with/ })
    await pairing.answer(1)
    await dialog.getByText('press “They differ”', { exact: false }).waitFor()
    await dialog.getByRole('button', { name: 'They differ' }).click()
    await dialog.getByText('You said that the codes differ.').waitFor()
    await dashboard.look('pair-differ')
    await dialog.getByRole('button', { name: 'Pair again' }).click()
    await dialog.getByText('Asking the other computer for a code…').waitFor()
    await pairing.answer(2)
    await dialog.getByText('043 124', { exact: true }).waitFor()
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    expect(pairing.asked).toEqual([
      ['pair', NEIGHBOUR],
      ['refuse', NEIGHBOUR, true],
      ['pair', NEIGHBOUR],
      ['refuse', NEIGHBOUR, false],
    ])
  })

  test('a node nearby that asks is a notice on any page that takes no focus; its code is shown by a click', async () => {
    const pairing = livelyPairing()
    const page = await open('#/models')
    await page.locator('nav a[aria-current="page"]', { hasText: 'Models' }).waitFor()
    const focused = (): Promise<string | undefined> => page.evaluate(() => document.activeElement?.tagName)
    const before = await focused()
    pairing.set({ direction: 'incoming', sinceMs: Date.now() })
    pairing.show()
    await page.getByText('A computer nearby asks to pair').waitFor()
    await page.getByText('at 192.168.7.2. Look at the code only if', { exact: false }).waitFor()
    expect(await focused()).toBe(before)
    expect(await page.getByText('043 124').count()).toBe(0)
    await dashboard.look('pair-asks')
    await page.getByRole('button', { name: 'Show the code' }).click()
    const dialog = page.getByRole('dialog', { name: /^Pair with/ })
    await dialog.getByText('043 124', { exact: true }).waitFor()
    pairing.set({ theyConfirmed: true })
    await dialog.getByText('The other person has confirmed.').waitFor()
    await dashboard.look('pair-asked')
    pairing.set({ ...over, ending: 'expired', sentence: 'No one confirmed in time.' })
    await dialog.getByText('No one confirmed in time.').waitFor()
    await page.keyboard.press('Escape')
    pairing.set({ direction: 'incoming', state: 'compare', code: '111 222', ending: null, sinceMs: Date.now() })
    await page.getByRole('button', { name: 'Refuse' }).click()
    await page.getByText('A computer nearby asks to pair').waitFor({ state: 'detached' })
    expect(pairing.asked).toEqual([['refuse', NEIGHBOUR, false]])
  })

  test('without a node nearby the card says what to do, and a trusted one is shown by name', async () => {
    livelyPairing([])
    const page = await open('#/network')
    await page.getByText('No other computer found on your local network yet.').waitFor()
    await dashboard.look('nearby-none')
    await dashboard.close()
    node = createFakeNode()
    livelyPairing([{ peerId: FRIEND, name: 'Ann', address: '192.168.7.3', sinceMs: 0, connected: true, trusted: true }])
    const again = await open('#/network')
    const nearby = again.getByRole('region', { name: 'Nearby' })
    await nearby.getByText('Ann').waitFor()
    await nearby.getByText('Trusted').waitFor()
    await nearby.getByRole('button', { name: 'Pair again with Ann' }).waitFor()
    await dashboard.look('nearby-trusted', nearby)
  })
})

describe('two real nodes and their dashboards', () => {
  let ann: NodeProcess
  let bob: NodeProcess
  let pageOfAnn: Page
  let pageOfBob: Page
  beforeAll(async () => {
    if (noChromium !== undefined) return
    const flags = ['--demo-model', 'off', '--mode', 'node']
    ann = await startNodeProcess({ flags: [...flags, '--name', 'Ann'] })
    bob = await startNodeProcess({ flags: [...flags, '--name', 'Bob', ...flagsToJoin(ann)] })
    ;[pageOfAnn, pageOfBob] = [await browser.context.newPage(), await browser.context.newPage()]
    await pageOfAnn.goto(ann.dashboard)
    await pageOfBob.goto(bob.dashboard)
  })
  afterAll(async () => {
    if (noChromium !== undefined) return
    await Promise.all([ann.stop(), bob.stop()])
  })

  const goTo = (page: Page, hash: string): Promise<void> => page.evaluate((to) => void (location.hash = to), hash)

  test('one person clicks on the other, both see one code, both confirm it, and each is on the other’s list', async () => {
    await goTo(pageOfAnn, '#/network')
    await pageOfAnn.getByRole('button', { name: /^Pair with Unknown/ }).click({ timeout: SLOW })
    const dialogOfAnn = pageOfAnn.getByRole('dialog', { name: /^Pair with/ })
    const codeOf = (page: Page) => page.getByText(/^\d{3} \d{3}$/)
    await codeOf(pageOfAnn).waitFor({ timeout: SLOW })
    await goTo(pageOfBob, '#/models')
    await pageOfBob.getByRole('button', { name: 'Show the code' }).click({ timeout: SLOW })
    const dialogOfBob = pageOfBob.getByRole('dialog', { name: /^Pair with/ })
    expect(await codeOf(pageOfBob).innerText()).toBe(await codeOf(pageOfAnn).innerText())
    for (const page of [pageOfAnn, pageOfBob]) {
      expect(await brokenRules(page)).toEqual([])
    }
    await dialogOfBob.getByRole('button', { name: 'They match' }).click()
    await dialogOfAnn.getByText('The other person has confirmed.').waitFor({ timeout: SLOW })
    await dialogOfAnn.getByRole('button', { name: 'They match' }).click()
    await dialogOfAnn.getByText('You and Bob trust each other now.').waitFor({ timeout: SLOW })
    await dialogOfBob.getByText('You and Ann trust each other now.').waitFor({ timeout: SLOW })
    await pageOfAnn.keyboard.press('Escape')
    const table = pageOfAnn.getByRole('table', { name: 'People' })
    await table.getByText('Bob').waitFor({ timeout: SLOW })
    await table.getByText('same code on both screens').waitFor()
  })
})
