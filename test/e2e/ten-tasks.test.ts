import { expect, test } from 'vitest'
import type { ReadInvite } from '#shared/contract/people/invites.js'
import { FRIEND } from '../contract/fake-people.js'
import { startWalk, tabTo, type Walk } from './walk/walk.js'

/**
 * What a person who never saw the dashboard is asked to do: ten tasks, each with the mouse and with the keyboard alone,
 * beginning at Home. The number is how many clicks, or keys that are no text, it takes at most.
 */
interface Task {
  task: string
  mouse: readonly [clicks: number, way: (walk: Walk) => Promise<void>]
  keyboard: readonly [keys: number, way: (walk: Walk) => Promise<void>]
  /** What has to be so in the end. */
  done: (walk: Walk) => Promise<void>
}

const asked = new Map<string, unknown>()
let isPaused = false
const walk = startWalk((node) => {
  const { sharing, people } = node.needs
  const { pause } = sharing
  const state = pause.state()
  pause.state = () => ({ ...state, paused: isPaused, reasons: isPaused ? state.reasons : [] })
  pause.pause = (ms) => {
    asked.set('pause', ms)
    isPaused = true
    return Promise.resolve(pause.state())
  }
  const add = sharing.shares.add.bind(sharing.shares)
  sharing.shares.add = (request) => {
    asked.set('share', request)
    return add(request)
  }
  const invite = people.invite.bind(people)
  people.invite = (options) => {
    asked.set('invite', options)
    return invite(options)
  }
  people.readInvite = (): ReadInvite => ({
    invite: { inviter: FRIEND, name: 'Ann', network: 'public', expiresAtMs: 1_900_000_000_000, trusted: false },
    ...{ problem: null, sentence: null, canSwitch: false },
  })
  people.join = () => {
    asked.set('join', true)
    return Promise.resolve({ outcome: 'joined', sentence: 'You and Ann trust each other now.', peerId: FRIEND })
  }
})
const byName = (role: 'link' | 'button' | 'radio', name: string | RegExp) =>
  walk.page.getByRole(role, { name, exact: typeof name === 'string' })
const clipboard = (): Promise<string> => walk.page.evaluate(() => navigator.clipboard.readText())
const type = (text: string): Promise<void> => walk.page.keyboard.insertText(text)
const press = (...keys: string[]): Promise<void> =>
  keys.reduce<Promise<void>>((before, key) => before.then(() => walk.page.keyboard.press(key)), Promise.resolve())

/** Opens the palette, types and takes what it finds first. */
async function palette(text: string): Promise<void> {
  await press('Control+k')
  await walk.page.getByRole('combobox', { name: 'Go to or do anything' }).waitFor()
  await type(text)
  await walk.page.getByRole('listbox').getByRole('option').first().waitFor()
  await press('Enter')
}

const TASKS: readonly Task[] = [
  {
    task: 'copy the address that an app needs',
    mouse: [1, () => byName('button', 'Copy').first().click()],
    keyboard: [2, () => palette('copy the base')],
    done: () => expect.poll(clipboard).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/v1$/),
  },
  {
    task: 'find out who offers a model',
    mouse: [
      2,
      async () => {
        await byName('link', 'Models').click()
        await byName('link', 'mistral-small:24b').click()
      },
    ],
    keyboard: [2, () => palette('mistral')],
    done: ({ page }) => page.getByRole('table', { name: 'Providers' }).waitFor(),
  },
  {
    task: 'ask a model something',
    mouse: [
      3,
      async ({ page }) => {
        await page
          .getByRole('region', { name: 'Models you can use now' })
          .getByRole('link', { name: 'Chat' })
          .first()
          .click()
        await page.getByRole('textbox', { name: 'Message' }).click()
        await type('Who are you?')
        await byName('button', 'Send').click()
      },
    ],
    keyboard: [
      3,
      async ({ page }) => {
        await press('g', 'c')
        await expect
          .poll(() =>
            page.getByRole('textbox', { name: 'Message' }).evaluate((field) => field === document.activeElement),
          )
          .toBe(true)
        await type('Who are you?')
        await press('Enter')
      },
    ],
    done: ({ page }) => page.getByRole('log', { name: 'Conversation' }).getByText('Who are you?').waitFor(),
  },
  {
    task: 'let only people one trusts use a model',
    mouse: [
      3,
      async () => {
        await byName('link', 'Share').click()
        await byName('radio', 'People I trust').click()
        await byName('button', /^Share 1 model with people you trust$/).click()
      },
    ],
    keyboard: [
      30,
      async () => {
        await press('g', 's')
        await byName('radio', 'People I trust').waitFor()
        await tabTo(walk.page, /^Everyone$/)
        await press('ArrowLeft')
        await tabTo(walk.page, /^Share 1 model with people you trust$/)
        await press('Enter')
      },
    ],
    done: () => expect.poll(() => asked.get('share')).toMatchObject({ visibility: 'trusted' }),
  },
  {
    task: 'pause sharing for a quarter of an hour',
    mouse: [
      2,
      async () => {
        await byName('link', 'Share').click()
        await byName('button', 'Pause for 15 min').click()
      },
    ],
    keyboard: [2, () => palette('pause for 15')],
    done: () => expect.poll(() => asked.get('pause')).toBeDefined(),
  },
  {
    task: 'invite a person',
    mouse: [
      3,
      async () => {
        await byName('link', 'Network').click()
        await byName('button', 'Invite someone').click()
        await byName('button', 'Make invite').click()
      },
    ],
    keyboard: [
      3,
      async ({ page }) => {
        await palette('invite someone')
        await page.getByRole('dialog').getByRole('textbox', { name: 'For' }).focus()
        await press('Enter')
      },
    ],
    done: () => expect.poll(() => asked.get('invite')).toBeDefined(),
  },
  {
    task: 'join a person who sent an invite',
    mouse: [
      4,
      async ({ page }) => {
        await byName('link', 'Network').click()
        await page.getByRole('textbox', { name: 'Invite or address' }).click()
        await type('ocf1AAAABBBBCCCC')
        await byName('button', 'Next').click()
        await byName('button', /^Join /).click()
      },
    ],
    keyboard: [
      4,
      async ({ page }) => {
        await palette('join someone')
        const field = page.getByRole('textbox', { name: 'Invite or address' })
        await expect.poll(() => field.evaluate((element) => element === document.activeElement)).toBe(true)
        await type('ocf1AAAABBBBCCCC')
        await press('Enter')
        // What was offered has the focus.
        await expect
          .poll(() => byName('button', /^Join /).evaluate((button) => button === document.activeElement))
          .toBe(true)
        await press('Enter')
      },
    ],
    done: () => expect.poll(() => asked.get('join')).toBe(true),
  },
  {
    task: 'find out why a request failed',
    mouse: [
      3,
      async ({ page }) => {
        await byName('link', 'Traffic').click()
        await byName('radio', 'Failed').click()
        await page.getByRole('table', { name: 'Traffic' }).getByText('502').click()
      },
    ],
    keyboard: [
      40,
      async () => {
        await press('g', 't')
        await byName('radio', 'Failed').waitFor()
        await tabTo(walk.page, /^All$/)
        await tabTo(walk.page, /^All$/)
        await press('ArrowRight')
        await tabTo(walk.page, /^Request of /)
        await press('Enter')
      },
    ],
    done: ({ page }) => page.getByRole('dialog').getByText('Every provider that was asked failed').waitFor(),
  },
  {
    task: 'allow fewer requests of others at the same time',
    mouse: [
      2,
      async ({ page }) => {
        await byName('link', 'Settings').click()
        const slider = page.getByRole('slider', { name: 'Requests from peers at the same time' })
        await slider.scrollIntoViewIfNeeded()
        const box = await slider.boundingBox()
        await page.mouse.click(box!.x + box!.width * 0.2, box!.y + box!.height / 2)
      },
    ],
    keyboard: [
      3,
      async ({ page }) => {
        await palette('requests from peers at the same')
        const slider = page.getByRole('slider', { name: 'Requests from peers at the same time' })
        await expect.poll(() => slider.evaluate((element) => element === document.activeElement)).toBe(true)
        await press('ArrowLeft')
      },
    ],
    done: ({ saved }) => expect.poll(() => Number(saved.get('limits.concurrent') ?? 4)).toBeLessThan(4),
  },
  {
    task: 'make it dark',
    mouse: [
      2,
      async () => {
        await byName('link', 'Settings').click()
        await byName('radio', 'Dark').click()
      },
    ],
    keyboard: [2, () => palette('theme: dark')],
    done: ({ page }) => expect.poll(() => page.evaluate(() => document.documentElement.dataset['theme'])).toBe('dark'),
  },
]

/** Counts what a person does: clicks, and keys but those that are text. */
async function startCounting(): Promise<void> {
  await walk.page.evaluate(() => {
    const counted = { clicks: 0, keys: 0 }
    Object.assign(window, { counted })
    addEventListener('click', (event) => (counted.clicks += event.detail > 0 ? 1 : 0), { capture: true })
    addEventListener('keydown', (event) => (counted.keys += ['Control', 'Shift'].includes(event.key) ? 0 : 1), {
      capture: true,
    })
  })
}
const counted = (): Promise<{ clicks: number; keys: number }> =>
  walk.page.evaluate(() => (window as unknown as { counted: { clicks: number; keys: number } }).counted)

for (const { task, mouse, keyboard, done } of TASKS) {
  for (const [kind, [most, way]] of [
    ['the mouse', mouse],
    ['the keyboard', keyboard],
  ] as const) {
    test(`a person can ${task} with ${kind}: at most ${most} ${kind === 'the mouse' ? 'clicks' : 'keys'}`, async () => {
      isPaused = false
      asked.clear()
      walk.saved.clear()
      await walk.page.evaluate(() => localStorage.removeItem('ocf-theme'))
      await walk.open('#/home')
      await startCounting()
      await way(walk)
      await done(walk)
      const { clicks, keys } = await counted()
      if (kind === 'the mouse') expect(clicks).toBeLessThanOrEqual(most)
      else {
        expect(clicks).toBe(0)
        expect(keys).toBeLessThanOrEqual(most)
      }
      // No gateway answers here; the browser complains of it.
      walk.dashboard.complaints.length = 0
    })
  }
}
