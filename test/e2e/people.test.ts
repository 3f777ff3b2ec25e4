import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { InviteView, Joining, ReadInvite } from '#shared/contract/people/invites.js'
import type { Person } from '#shared/contract/people/people.js'
import { BOB, createFakeNode, type FakeNode } from '../contract/fake-node.js'
import { FRIEND } from '../contract/fake-people.js'
import { lendChromium, noChromium, type Browser } from '../fixtures/chromium/launch.js'
import { openFakeDashboard, type FakeDashboard, openPalette } from './fake-dashboard.js'

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

async function open(hash: string): Promise<FakeDashboard['page']> {
  dashboard = await openFakeDashboard(browser, node)
  await dashboard.goTo(hash)
  return dashboard.page
}

const WHOLE = `ocf1${'A'.repeat(300)}`
const READ: ReadInvite = {
  invite: { inviter: FRIEND, name: 'Ann', network: 'public', expiresAtMs: 1_900_000_000_000, trusted: false },
  ...{ problem: null, sentence: null, canSwitch: false },
}

/** People that change, as those of a real node do. */
function livelyPeople(state: { people?: Person[]; invites?: InviteView[] } = {}) {
  const fake = node.needs.people
  const listeners = new Set<() => void>()
  const changed = <T>(answer: T): Promise<T> => {
    for (const listener of listeners) listener()
    return Promise.resolve(answer)
  }
  const now = {
    people: state.people ?? [...fake.list()],
    invites: state.invites ?? [...fake.invites()],
    joining: null as Joining | null,
    ownName: 'Me',
    changed,
  }
  const find = (peerId: string): Person => now.people.find((person) => person.peerId === peerId)!
  Object.assign(fake, {
    list: () => now.people,
    invites: () => now.invites,
    joining: () => now.joining,
    readInvite: (text: string): ReadInvite =>
      text.includes(WHOLE)
        ? READ
        : { invite: null, problem: 'cut-off', sentence: 'The end of this invite is missing.', canSwitch: false },
    rename(peerId: string, name: string) {
      now.people = now.people.map((one) => (one.peerId === peerId ? { ...one, givenName: name, label: name } : one))
      return changed(find(peerId))
    },
    untrust(peerId: string) {
      const untrusted = find(peerId)
      now.people = []
      return changed({ untrusted, openInviteId: null })
    },
    ownName: () => ({ name: now.ownName, isDefault: false, editable: true }),
    setOwnName(name: string | null) {
      now.ownName = name ?? 'default'
      return changed({ name: now.ownName, isDefault: name === null, editable: true })
    },
    revokeInvite(id: string) {
      const invite = { ...now.invites.find((one) => one.id === id)!, state: 'revoked' as const }
      now.invites = [invite]
      return changed(invite)
    },
    subscribe(listener: () => void) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  })
  return now
}

describe('the field to join', () => {
  test('a pasted message says who invites before anything is done, then how far it is and what came of it', async () => {
    const people = livelyPeople()
    const asked: string[] = []
    let end: () => void = () => undefined
    node.needs.people.join = async (text) => {
      asked.push(text)
      people.joining = { inviter: FRIEND, name: 'Ann', stage: 'proving', sinceMs: Date.now() - 2_000 }
      await people.changed(undefined)
      await new Promise<void>((resolve) => (end = resolve))
      return { outcome: 'joined', sentence: 'You and Ann trust each other now.', peerId: FRIEND }
    }
    const page = await open('#/network')
    const card = page.getByRole('region', { name: 'Join someone' })
    await card.getByRole('textbox', { name: 'Invite or address' }).fill(`Hi! Paste this: ${WHOLE} Cheers`)
    await page.keyboard.press('Enter')
    await card.getByRole('heading', { name: 'Ann invites you' }).waitFor()
    await card.getByText('strangers can be on it', { exact: false }).waitFor()
    await dashboard.look('join-offer', card)
    expect(asked).toEqual([])
    expect(await page.evaluate(() => document.activeElement?.textContent)).toBe('Join Ann')
    await page.keyboard.press('Enter')
    await card.getByText('Showing the invite to Ann…').waitFor()
    await card.getByText(/^\d+ s, at most half a minute$/).waitFor()
    await dashboard.look('join-progress', card)
    end()
    await card.getByText('You and Ann trust each other now.').waitFor()
    await dashboard.look('join-joined', card)
    expect(asked).toHaveLength(1)
    await card.getByRole('button', { name: 'Close' }).click()
    expect(await card.getByRole('textbox').inputValue()).toBe('')
  })

  test('an empty field, a cut-off invite and one that fails are said in words, and can be tried again', async () => {
    livelyPeople()
    node.needs.people.join = () =>
      Promise.resolve({ outcome: 'unreachable', sentence: 'The node of Ann cannot be reached.', peerId: null })
    const page = await open('#/network')
    const card = page.getByRole('region', { name: 'Join someone' })
    await card.getByRole('button', { name: 'Next' }).click()
    await card.getByRole('alert').getByText('Paste an invite or an address first.').waitFor()
    await card.getByRole('textbox').fill('ocf1short')
    await page.keyboard.press('Enter')
    await card.getByRole('alert').getByText('The end of this invite is missing.').waitFor()
    await dashboard.look('join-cut-off', card)
    await card.getByRole('textbox').fill(WHOLE)
    await page.keyboard.press('Enter')
    await card.getByRole('button', { name: 'Join Ann' }).click()
    await card.getByText('The node of Ann cannot be reached.').waitFor()
    await dashboard.look('join-unreachable', card)
    await card.getByRole('button', { name: 'Try again' }).click()
    await card.getByRole('button', { name: 'Join Ann' }).waitFor()
  })

  test('an invite into another network says what changes before it changes the network', async () => {
    livelyPeople()
    const asked: unknown[] = []
    node.needs.people.readInvite = () => ({
      ...READ,
      ...{ problem: 'other-network', sentence: 'It leads into another network.', canSwitch: true },
    })
    node.needs.people.join = (_text, options) => {
      asked.push(options)
      return Promise.resolve({ outcome: 'restart-needed', sentence: 'Restart this node.', peerId: FRIEND })
    }
    const page = await open('#/network')
    await page.getByRole('textbox', { name: 'Invite or address' }).fill(WHOLE)
    await page.keyboard.press('Enter')
    await page.getByText('It can’t reach peers on the current network after that', { exact: false }).waitFor()
    await dashboard.look('join-other-network')
    await page.getByRole('button', { name: 'Change the network and join' }).click()
    await page.getByText('Restart this node.').waitFor()
    expect(asked).toEqual([{ switchNetwork: true }])
  })
})

describe('the field to join, with what is no invite', () => {
  test('an address is asked for once, says what came of it, and can be tried again', async () => {
    livelyPeople()
    const asked: [text: string, switchNetwork: boolean][] = []
    const answers = [
      { state: 'failed' as const, sentence: 'No node answers there. Nothing was changed.', canSwitch: false },
      { state: 'joined' as const, sentence: 'Joined through 203.0.113.7.', canSwitch: false },
    ]
    node.needs.people.readInvite = () => ({
      ...{ invite: null, problem: 'no-invite', sentence: 'This holds no invite.', canSwitch: false },
    })
    node.needs.joining.join = (text, { switchNetwork }) => {
      asked.push([text, switchNetwork])
      return Promise.resolve({ kind: 'address', peerId: null, ...answers.shift()! })
    }
    const page = await open('#/network')
    const card = page.getByRole('region', { name: 'Join someone' })
    await card.getByRole('textbox').fill('203.0.113.7')
    await page.keyboard.press('Enter')
    await card.getByText('This isn’t an invite.', { exact: false }).waitFor()
    await dashboard.look('join-place', card)
    expect(asked).toEqual([])
    await card.getByRole('button', { name: 'Connect to it' }).click()
    await card.getByText('No node answers there.', { exact: false }).waitFor()
    await card.getByRole('button', { name: 'Try again' }).click()
    await card.getByText('Joined through 203.0.113.7.', { exact: false }).waitFor()
    await dashboard.look('join-place-joined', card)
    expect(asked).toEqual([
      ['203.0.113.7', false],
      ['203.0.113.7', false],
    ])
  })

  test('a key of another network says what changes before the network is changed', async () => {
    livelyPeople()
    const asked: boolean[] = []
    node.needs.people.readInvite = () => ({
      ...{ invite: null, problem: 'no-invite', sentence: 'This holds no invite.', canSwitch: false },
    })
    node.needs.joining.join = (_text, { switchNetwork }) => {
      asked.push(switchNetwork)
      const then = { kind: 'network-key' as const, peerId: null }
      return Promise.resolve(
        switchNetwork
          ? { ...then, state: 'restart-needed', sentence: 'Restart this node.', canSwitch: false }
          : { ...then, state: 'failed', sentence: 'This node would have to restart.', canSwitch: true },
      )
    }
    const page = await open('#/network')
    const card = page.getByRole('region', { name: 'Join someone' })
    await card.getByRole('textbox').fill('ocf-net1abc')
    await page.keyboard.press('Enter')
    await card.getByRole('button', { name: 'Connect to it' }).click()
    await card.getByText('This node would have to restart.').waitFor()
    await card.getByRole('button', { name: 'Change the network and join' }).click()
    await card.getByText('Restart this node.').waitFor()
    expect(asked).toEqual([false, true])
  })
})

describe('the first run', () => {
  test('it asks whom to meet, says what follows from each answer, and joins with an invite at once', async () => {
    livelyPeople()
    node.needs.people.join = () =>
      Promise.resolve({ outcome: 'joined', sentence: 'You and Ann trust each other now.', peerId: FRIEND })
    const page = await open('#/home')
    const card = page.getByRole('region', { name: /^Welcome/ })
    await card.getByRole('radio', { name: 'This local network' }).check()
    await card.getByText('None so far.', { exact: false }).waitFor()
    await card.getByRole('radio', { name: 'A public network' }).check()
    await card.getByText('they can read what you send', { exact: false }).waitFor()
    await card.getByRole('button', { name: 'Join OpenTela' }).waitFor()
    await dashboard.look('first-run-public', card)
    await card.getByRole('radio', { name: 'People I know' }).check()
    await dashboard.look('first-run', card)
    await card.getByRole('textbox', { name: 'Invite or address' }).fill(WHOLE)
    await page.keyboard.press('Enter')
    await card.getByRole('button', { name: 'Join Ann' }).click()
    await card.getByText('You and Ann trust each other now.').waitFor()
    await card.getByRole('link', { name: 'Choose for each model' }).waitFor()
    await card.getByRole('button', { name: 'Don’t show again' }).click()
    await card.waitFor({ state: 'detached' })
    // A node that is alone can still join from Home.
    await page.getByRole('region', { name: 'Join someone' }).waitFor()
    await dashboard.look('home-alone')
  })
})

describe('a public network in the first run', () => {
  test('a public network that can be joined is a button, which says what came of it', async () => {
    const asked: string[] = []
    node.needs.joining.join = (text) => {
      asked.push(text)
      const sentence = 'This node is in the network OpenTela, run by somebody.'
      return Promise.resolve({ kind: 'network', state: 'joined', sentence, canSwitch: false, peerId: null })
    }
    const page = await open('#/home')
    const card = page.getByRole('region', { name: /^Welcome/ })
    await card.getByRole('radio', { name: 'A public network' }).check()
    await card.getByText('Run by somebody. Strangers answer.').waitFor()
    await dashboard.look('first-run-public-choice', card)
    expect(asked).toEqual([])
    await card.getByRole('button', { name: 'Join OpenTela' }).click()
    await card.getByText('This node is in the network OpenTela', { exact: false }).waitFor()
    expect(asked).toEqual(['opentela'])
  })
})

describe('the second question of the first run', () => {
  test('it asks whether strangers may answer, and what is chosen is the setting at once', async () => {
    livelyPeople()
    const [port] = node.needs.settings.list()
    let reach = 'anyone'
    node.needs.settings.list = () => [{ ...port!, name: 'use.reach', kind: 'choice', value: reach, restart: false }]
    node.needs.settings.save = (name, value) => {
      if (name === 'use.reach') reach = value ?? 'anyone'
      return Promise.resolve({ restartNeeded: false })
    }
    const page = await open('#/home')
    const answers = page.getByRole('radiogroup', { name: 'May strangers’ computers answer you?' })
    await answers.getByRole('radio', { name: 'Yes, anyone’s', checked: true }).waitFor()
    await answers.getByRole('radio', { name: 'Only people I trust' }).click()
    await answers.getByRole('radio', { name: 'Only people I trust', checked: true }).waitFor()
    await page.getByText('Only people you trust may answer.').waitFor()
    expect(reach).toBe('trusted')
    await dashboard.look('first-run-strangers')
  })
})

describe('a link with an invite', () => {
  test('it asks one question that names who invites, and does nothing without the answer', async () => {
    livelyPeople()
    const asked: string[] = []
    node.needs.people.join = (text) => {
      asked.push(text)
      return Promise.resolve({ outcome: 'joined', sentence: 'You and Ann trust each other now.', peerId: FRIEND })
    }
    const page = await open(`#/join/${WHOLE}`)
    const dialog = page.getByRole('dialog', { name: 'You opened an invite' })
    await dialog.getByRole('heading', { name: 'Ann invites you' }).waitFor()
    expect(page.url()).not.toContain('ocf1')
    // Enter typed for something else must not answer the question.
    expect(await page.evaluate(() => document.activeElement?.textContent)).not.toBe('Join Ann')
    await dashboard.look('join-link')
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    expect(asked).toEqual([])
    await dashboard.goTo(`#/join/${WHOLE}`)
    await dialog.getByRole('button', { name: 'Join Ann' }).click()
    await dialog.getByText('You and Ann trust each other now.').waitFor()
    expect(asked).toEqual([WHOLE])
  })

  test('one that is no invite says what is wrong and offers nothing', async () => {
    livelyPeople()
    const page = await open('#/join/ocf1broken')
    const dialog = page.getByRole('dialog', { name: 'You opened an invite' })
    await dialog.getByText('The end of this invite is missing.').waitFor()
    expect(await dialog.getByRole('button', { name: /^Join/ }).count()).toBe(0)
    await dashboard.look('join-link-broken')
  })
})

describe('the people on the Network page', () => {
  test('a person is renamed and removed after a question, and an open invite is revoked', async () => {
    livelyPeople()
    const page = await open('#/network')
    const card = page.getByRole('region', { name: 'People', exact: true })
    await card.getByRole('table', { name: 'People' }).getByText('Ann').waitFor()
    await card.scrollIntoViewIfNeeded()
    await dashboard.look('people', card)
    await card.getByRole('button', { name: 'Rename Ann' }).click()
    await page.getByRole('textbox', { name: 'Name' }).fill('Ann from work')
    await dashboard.look('people-rename')
    await page.keyboard.press('Enter')
    await card.getByText('calls itself Ann', { exact: true }).waitFor()

    await card.getByRole('button', { name: 'Revoke the invite for Tom' }).click()
    await dashboard.look('people-revoke')
    await page.getByRole('button', { name: 'Revoke invite' }).click()
    await card.getByRole('table', { name: 'Open invites' }).waitFor({ state: 'detached' })

    const remove = card.getByRole('button', { name: 'Remove Ann from work' })
    await remove.click()
    await page.getByRole('button', { name: 'Cancel' }).click()
    await remove.click()
    await page.getByText('Requests between you stop at once.', { exact: false }).waitFor()
    await dashboard.look('people-remove')
    await page.getByRole('button', { name: 'Stop trusting' }).click()
    await card.getByText('You don’t trust anyone yet.').waitFor()
    await dashboard.look('people-empty', card)
  })

  test('one’s own name is changed, and the card says what people may use', async () => {
    livelyPeople()
    const page = await open('#/network')
    const card = page.getByRole('region', { name: 'People', exact: true })
    await card.getByText('They can use 1 of your models.', { exact: false }).waitFor()
    await card.getByRole('button', { name: 'Change…' }).click()
    await page.getByRole('textbox', { name: 'Name' }).fill('Tom')
    await page.keyboard.press('Enter')
    await card.getByText('You are called Tom').waitFor()
  })

  test('a peer that one trusts is shown by its name among the peers, a stranger by its id', async () => {
    livelyPeople()
    node.connect(FRIEND)
    node.connect(BOB)
    const page = await open('#/network')
    const table = page.getByRole('table', { name: 'Peers', exact: true })
    await table.getByText('Ann', { exact: true }).waitFor()
    // Strangers are folded below the people one knows.
    expect(await table.getByText(`…${BOB.slice(-8)}`).count()).toBe(0)
    await page.getByRole('button', { name: 'Show 1 stranger', exact: true }).click()
    await table.getByText(`…${BOB.slice(-8)}`).waitFor()
    await dashboard.look('network-names')
    await page.getByRole('searchbox', { name: 'Name, peer or offer' }).fill('ann')
    await table.getByText(`…${BOB.slice(-8)}`).waitFor({ state: 'detached' })
    await table.getByText('Ann', { exact: true }).waitFor()
    await dashboard.goTo('#/home')
    await openPalette(page)
    await page.keyboard.type('invite')
    await page.keyboard.press('Enter')
    await page.getByRole('dialog', { name: 'Invite someone' }).waitFor()
  })

  test('an invite is made with the keyboard and shown once: as a code, a line, a link and a mail', async () => {
    const asked: unknown[] = []
    const { people } = node.needs
    const [invite] = people.invites()
    people.invite = (options) => {
      asked.push(options)
      const made = { invite: { ...invite!, name: 'Tom' }, text: WHOLE, link: `ocf://join/${WHOLE}` }
      return Promise.resolve({ ...made, reach: 'lan' })
    }
    const page = await open('#/network')
    await page.getByRole('button', { name: 'Invite someone', exact: true }).focus()
    await page.keyboard.press('Enter')
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('textbox', { name: 'For' }).fill('Tom')
    await dialog.getByRole('radio', { name: 'up to 5' }).check()
    await dialog.getByRole('radio', { name: '1 day' }).check()
    await dashboard.look('invite-form')
    await dialog.getByRole('textbox', { name: 'For' }).press('Enter')
    await dialog.getByText('Anyone who has this can join you.', { exact: false }).waitFor()
    await dialog.getByText('can only be reached on your local network', { exact: false }).waitFor()
    await dialog.getByRole('img', { name: 'The invite as a code to scan' }).waitFor()
    await dashboard.look('invite-made')
    expect(asked).toEqual([{ uses: 5, forMs: 86_400_000, name: 'Tom' }])
    await dialog.getByRole('button', { name: 'Copy link' }).click()
    await dialog.getByText('Copied').waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`ocf://join/${WHOLE}`)
    const mail = await dialog.getByRole('link', { name: 'Write an email' }).getAttribute('href')
    expect(decodeURIComponent(mail ?? '')).toContain(WHOLE)
    await page.keyboard.press('Escape')
    await dialog.waitFor({ state: 'detached' })
    expect(await page.locator('body').innerText()).not.toContain(WHOLE)
  })
})
