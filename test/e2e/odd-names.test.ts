import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { InviteView, ReadInvite } from '#shared/contract/people/invites.js'
import type { Person } from '#shared/contract/people/people.js'
import { cleanName, MAX_NAME_LENGTH } from '#shared/person-names.js'
import { createFakeNode, type FakeNode } from '../contract/fake-node.js'
import { FRIEND } from '../contract/fake-people.js'
import { lendChromium, noChromium, type Browser } from '../fixtures/chromium/launch.js'
import { openFakeDashboard, type FakeDashboard } from './fake-dashboard.js'

// What others call themselves is cleaned before it is stored. Here the pages get it as it came but for its length, so that
// they hold alone.

const HTML = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
const NAMES: readonly [kind: string, name: string][] = [
  ['ten thousand characters', 'W'.repeat(MAX_NAME_LENGTH)],
  ['HTML', HTML],
  ['marks that turn the direction of a text', 'Ann\u202e\u2066gpj.exe\u2067'],
  ['letters that are read from the right', 'שלום עולם'],
  ['marks that can’t be seen', 'A\u200bn\u200dn\u2060'],
  ['letters that look like others', 'Аnn'],
  ['marks piled up', `Z${'\u0334\u0348'.repeat(30)}`],
  ['escape sequences', '\u001b[31mAnn\u001b]0;x\u0007'],
  ['emoji', '👩‍💻🏳️‍🌈'.repeat(8)],
]
const SHOTS = process.env['OCF_SHOTS']

let browser: Browser
let node: FakeNode
let dashboard: FakeDashboard

beforeAll(async () => {
  if (noChromium === undefined) browser = await lendChromium()
})
afterAll(() => (noChromium === undefined ? browser.close() : undefined))
beforeEach((context) => {
  context.skip(noChromium !== undefined, noChromium)
  node = createFakeNode()
})
afterEach(async () => {
  expect(dashboard.complaints).toEqual([])
  await dashboard.close()
})

const idOf = (index: number): string => `${FRIEND.slice(0, -2)}${'abcdefghjkmnpqrst'[index]}A`

/** One person of each name; the labels as a node makes them, but neither cleaned nor shortened. */
const PEOPLE: Person[] = NAMES.map(([, name], index) => ({
  ...{ peerId: idOf(index), label: name, givenName: index % 2 === 0 ? null : 'Cousin', ownName: name },
  ...{ trustedBy: 'accepted', revocable: true, trustedAtMs: 1_700_000_000_000, inviteId: null },
  ...{ connected: true, lastSeenMs: null },
}))

async function open(hash: string): Promise<FakeDashboard['page']> {
  dashboard = await openFakeDashboard(browser, node)
  await dashboard.goTo(hash)
  return dashboard.page
}

/**
 * Nothing of a name was run, and nothing reaches beyond the window, a phone's among them, but tables, which scroll.
 * With `isWhole` the rules of accessibility are held, too.
 */
async function hold(name: string, { isWhole = false } = {}): Promise<void> {
  const { page } = dashboard
  if (isWhole) await dashboard.look(name)
  for (const [width, height] of [
    [1280, 800],
    [390, 844],
  ] as const) {
    await page.setViewportSize({ width, height })
    const found = (): Promise<unknown> =>
      page.evaluate(() => ({
        hacked: 'hacked' in window,
        images: document.querySelectorAll('img[src="x"]').length,
        beyond: [...document.querySelectorAll<HTMLElement>('main *, dialog *')]
          .filter((element) => element.closest('table, svg') === null)
          .filter((element) => element.getBoundingClientRect().right > window.innerWidth + 1)
          .map((element) => `${element.tagName} ${element.className} ${element.textContent.slice(0, 20)}`),
      }))
    await expect.poll(found, { message: `${name} at ${width}` }).toEqual({ hacked: false, images: 0, beyond: [] })
    if (SHOTS === undefined) continue
    mkdirSync(SHOTS, { recursive: true })
    await page.screenshot({ path: join(SHOTS, `${name}-${width}.png`) })
  }
  await page.setViewportSize({ width: 1280, height: 800 })
}

describe('odd names', () => {
  test('odd names of people stand on the Network, Models and Traffic pages as text, and move nothing', async () => {
    node.needs.people.list = () => PEOPLE
    for (const { peerId } of PEOPLE) {
      node.connect(peerId)
      node.offer(peerId, 'llm', ['model=tiny'])
      const request = { direction: 'out' as const, service: 'llm', method: 'POST', route: '/v1/chat/completions' }
      const fields = { id: peerId, ...request, model: 'tiny', peer: peerId, path: 'direct-quic' as const }
      node.traffic.begin(fields).finish({ status: 200 })
    }
    const page = await open('#/network')
    const people = page.getByRole('table', { name: 'People' })
    await people.getByText(HTML, { exact: true }).first().waitFor()
    expect(await people.getByRole('row').count()).toBe(PEOPLE.length + 1)
    // A name turns no letter beside it: each is a text of its own.
    const bidi = await people
      .locator('td:first-child > span > span')
      .evaluateAll((spans) => spans.map((span) => getComputedStyle(span).unicodeBidi))
    expect(new Set(bidi)).toEqual(new Set(['isolate']))
    // Nor does it hide the part of the id that tells two of one name apart.
    const ids = await people
      .locator('td:first-child code')
      .evaluateAll((codes) =>
        codes.map((code) => [code.textContent, code.scrollWidth <= code.clientWidth + 1 || code.clientWidth === 0]),
      )
    expect(ids).toEqual(PEOPLE.map(({ peerId }) => [expect.stringContaining(peerId.slice(-6)), true]))
    await hold('odd-network', { isWhole: true })
    await people.scrollIntoViewIfNeeded()
    await hold('odd-people')
    await page.getByRole('table', { name: 'Peers', exact: true }).scrollIntoViewIfNeeded()
    await hold('odd-peers')
    await dashboard.goTo('#/models/tiny')
    await page.getByText(HTML, { exact: true }).first().waitFor()
    await hold('odd-models', { isWhole: true })
    await dashboard.goTo('#/traffic')
    await page.getByText(HTML, { exact: true }).first().waitFor()
    await hold('odd-traffic', { isWhole: true })
  })

  test('a person with an odd name is renamed and removed like any other', async () => {
    node.needs.people.list = () => PEOPLE
    const page = await open('#/network')
    const card = page.getByRole('region', { name: 'People', exact: true })
    for (const [index, [kind]] of NAMES.entries()) {
      for (const action of ['Rename', 'Remove']) {
        await card
          .getByRole('button', { name: new RegExp(`^${action} `) })
          .nth(index)
          .click()
        await page.getByRole('dialog').waitFor()
        await hold(`odd-${action}-${kind}`)
        await page.keyboard.press('Escape')
        await page.getByRole('dialog').waitFor({ state: 'detached' })
      }
    }
  })

  test('an invite from somebody with an odd name is offered as text', async () => {
    let name = ''
    node.needs.people.readInvite = (): ReadInvite => ({
      invite: { inviter: FRIEND, name, network: 'public', expiresAtMs: 1_900_000_000_000, trusted: false },
      ...{ problem: null, sentence: null, canSwitch: false },
    })
    node.needs.people.join = () =>
      Promise.resolve({ outcome: 'joined', sentence: `You and ${name} trust each other now.`, peerId: FRIEND })
    const page = await open('#/network')
    const card = page.getByRole('region', { name: 'Join someone' })
    for (const [index, [kind, given]] of NAMES.entries()) {
      name = given
      await card.getByRole('textbox').fill(`ocf1AAAABBBBCCCC${index}`)
      await page.keyboard.press('Enter')
      await card.getByRole('button', { name: /^Join/ }).waitFor()
      await hold(`odd-offer-${kind}`, { isWhole: index === 0 })
      await card.getByRole('button', { name: /^Join/ }).click()
      await card.getByText('trust each other now.', { exact: false }).waitFor()
      await hold(`odd-joined-${kind}`)
      await card.getByRole('button', { name: 'Close' }).click()
    }
  })

  test('an invite is made for an odd name: what is too long can’t be typed, and the rest stands as text', async () => {
    const asked: (string | undefined)[] = []
    const [invite] = node.needs.people.invites()
    let kept: InviteView[] = []
    node.needs.people.invites = () => kept
    node.needs.people.invite = ({ name }) => {
      asked.push(name)
      const made = { ...invite!, name: cleanName(name ?? '') || null }
      kept = [made]
      return Promise.resolve({ invite: made, text: 'ocf1AAAA', link: 'ocf://join/ocf1AAAA', reach: 'anywhere' })
    }
    const page = await open('#/network')
    for (const [kind, name] of [...NAMES, ['only spaces', '     ']] as const) {
      await dashboard.goTo('#/network/invite')
      const dialog = page.getByRole('dialog')
      await dialog.getByRole('textbox', { name: 'For' }).focus()
      await page.keyboard.insertText(kind === 'ten thousand characters' ? 'W'.repeat(10_000) : name)
      await dialog.getByRole('button', { name: 'Make invite' }).click()
      await dialog.getByText('Anyone who has this can join you.', { exact: false }).waitFor()
      await hold(`odd-invite-${kind}`)
      await dialog.getByRole('button', { name: 'Done' }).click()
      await dialog.waitFor({ state: 'detached' })
    }
    expect(asked).toHaveLength(NAMES.length + 1)
    expect(Math.max(...asked.map((name) => name?.length ?? 0))).toBe(64)
    expect(asked.at(-1)).toBeUndefined()
  })
})
