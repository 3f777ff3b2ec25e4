import { expect, test } from 'vitest'
import { ALICE, BOB } from '../../contract/fake-node.js'
import { FRIEND } from '../../contract/fake-people.js'
import { startWalk } from '../walk/walk.js'

const walk = startWalk(({ needs: { sharing } }) => {
  const open = { ...sharing.pause.state(), paused: false, reasons: [] }
  sharing.pause.state = () => open
})
const button = (name: string | RegExp) => walk.page.getByRole('button', { name, exact: typeof name === 'string' })

test('a server with hundreds of models has a search, and all that it finds are ticked or left out at once', async () => {
  const { detector, shares } = walk.node.needs.sharing
  const [servers, list] = [detector.servers.bind(detector), shares.list.bind(shares)]
  const [ollama] = servers()
  const models = Array.from({ length: 200 }, (_, index) => ({
    ...ollama!.models[0]!,
    id: index % 50 === 0 ? `mistral-${index}` : `model-${index}`,
  }))
  detector.servers = () => [{ ...ollama!, sharedAs: null, models }]
  shares.list = () => []
  await walk.open('#/share')
  const card = walk.page.getByRole('region', { name: /^Ollama/ })
  const all = card.getByRole('checkbox', { name: /of 200 models selected$/ })
  // A person who looks at the card for the first time has opened nothing to others.
  await button('Use 200 models on this computer only').waitFor()
  await all.uncheck()
  await card.getByText('0 of 200 models selected').waitFor()
  await card.getByRole('searchbox', { name: 'Search models' }).fill('MISTRAL')
  await expect.poll(() => card.getByRole('checkbox', { name: /^Share / }).count()).toBe(4)
  await all.check()
  await card.getByText('4 of 200 models selected').waitFor()
  await button('Use 4 models on this computer only').waitFor()
  await card.getByRole('searchbox').fill('no such model')
  await card.getByText('No model’s name contains “no such model”.').waitFor()
  await walk.dashboard.look('share-search')
  ;[detector.servers, shares.list] = [servers, list]
})

test('a rule that can see nothing on this computer says so and can be switched off, but not on', async () => {
  const { pause } = walk.node.needs.sharing
  const state = pause.state()
  const rule = {
    ...{ cause: 'user-active' as const, setting: 'pause.user-active', canTell: false, holds: null },
    sentence: 'can’t tell on this machine: only the desktop app sees keyboard and mouse',
  }
  let enabled = false
  pause.state = () => ({ ...state, rules: [{ ...rule, enabled }] })
  await walk.open('#/share')
  const onShare = walk.page.getByRole('switch', { name: 'While I use this computer' })
  await walk.page.getByText('Not here: only the desktop app can see keyboard and mouse', { exact: false }).waitFor()
  expect(await onShare.isDisabled()).toBe(true)
  await walk.open('#/settings/pause.user-active')
  const inSettings = walk.page.getByRole('switch', { name: 'Pause while I use this computer' })
  expect(await inSettings.isDisabled()).toBe(true)
  // One that was switched on elsewhere, such as in the file of settings.
  enabled = true
  await walk.open('#/share')
  await walk.page.getByText('Can’t tell on this computer', { exact: true }).waitFor()
  await onShare.uncheck()
  await expect.poll(() => walk.saved.get('pause.user-active')).toBe('false')
  pause.state = () => state
})

test('who is blocked stands there by name, and is let in again with one click', async () => {
  const { people, sharing, settings } = walk.node.needs
  const [list, usage, saveAll] = [
    people.list.bind(people),
    sharing.admission.usage.bind(sharing.admission),
    settings.saveAll.bind(settings),
  ]
  people.list = () => [{ ...list()[0]!, peerId: FRIEND, label: 'Ann' }]
  sharing.admission.usage = () => ({ ...usage(), limits: { ...usage().limits, blockedPeers: [FRIEND, BOB] } })
  const saved: unknown[] = []
  settings.saveAll = (values) => {
    saved.push(values['limits.block-peers'])
    return Promise.resolve({ restartNeeded: false })
  }
  await walk.open('#/share')
  const blocked = walk.page.getByRole('listitem').filter({ has: button('Unblock') })
  await expect.poll(() => blocked.count()).toBe(2)
  await blocked.filter({ hasText: 'Ann' }).getByRole('button', { name: 'Unblock' }).click()
  await walk.page.getByText('No longer blocked.').waitFor()
  await button('Undo').click()
  await expect.poll(() => saved.length).toBe(2)
  expect(String(saved[0])).toContain(BOB)
  expect(String(saved[0])).not.toContain(FRIEND)
  expect(String(saved[1])).toContain(FRIEND)
  await walk.dashboard.look('share-blocked')
  people.list = list
  sharing.admission.usage = usage
  settings.saveAll = saveAll
})

test('messages are three at most, and none stands above a button of the page', async () => {
  const { admission } = walk.node.needs.sharing
  const usage = admission.usage.bind(admission)
  const peers = [ALICE, BOB, FRIEND, `${ALICE}2`]
  admission.usage = () => ({
    ...usage(),
    consumers: peers.map((peerId) => ({ peerId, running: 1, waiting: 0, tokensToday: 3 })),
  })
  await walk.open('#/share')
  for (let index = 0; index < peers.length; index += 1) await button('Block').nth(index).click()
  const undo = button('Undo')
  await expect.poll(() => undo.count()).toBe(3)
  await walk.page.getByRole('main').evaluate((main) => main.scrollTo(0, 0))
  const covered = await walk.page.evaluate(() => {
    const bubble = document.querySelector('[popover]:popover-open')
    const box = bubble?.getBoundingClientRect()
    if (box === undefined) return ['no message']
    // What a person can press on the page and in the bar above it.
    const pressable = [...document.querySelectorAll<HTMLElement>('main button, main a, header button, header a')]
    return pressable
      .filter((one) => {
        const { left, right, top, bottom } = one.getBoundingClientRect()
        return left < box.right && right > box.left && top < box.bottom && bottom > box.top
      })
      .map((one) => one.textContent)
  })
  expect(covered).toEqual([])
  admission.usage = usage
})

test('badges stand on the line of their card’s title, and what is in a card begins at one edge', async () => {
  await walk.open('#/share')
  const cards = walk.page.getByRole('main').locator('section')
  const found = await cards.evaluateAll((all) =>
    all.flatMap((card) => {
      const title = card.querySelector('h2')?.getBoundingClientRect()
      const middle = (box: DOMRect): number => box.top + box.height / 2
      const badges = [...card.querySelectorAll(':scope > :first-child [class*=badge]')].filter(
        (badge) => badge.children.length === 0,
      )
      const off = badges.filter((badge) => Math.abs(middle(badge.getBoundingClientRect()) - middle(title!)) > 1.5)
      const edges = [...card.querySelectorAll('[class*=notice], dl')].map((part) => part.getBoundingClientRect().left)
      return [{ badges: badges.length, off: off.length, edges: edges.map((edge) => edge - title!.left) }]
    }),
  )
  expect(found.reduce((sum, { badges }) => sum + badges, 0)).toBeGreaterThan(1)
  expect(found.filter(({ off }) => off > 0)).toEqual([])
  const edges = found.flatMap((card) => card.edges)
  expect(edges.length).toBeGreaterThan(1)
  expect(edges.filter((edge) => Math.abs(edge) > 1)).toEqual([])
})
