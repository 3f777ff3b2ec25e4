import { expect, test } from 'vitest'
import { ALICE } from '../../contract/fake-node.js'
import { createFurnishedNode } from '../furnished-node.js'
import { givenDashboard } from './given.js'

/** A node in the middle of a busy day. */
const given = givenDashboard(createFurnishedNode)

test('every page answers its question in its first sentence', async () => {
  await given.page.getByText('http://127.0.0.1:8092/v1', { exact: true }).waitFor()
  expect(await given.heading()).toBe('It works. Paste this address into your app.')
  await given.follow('Share')
  await expect.poll(given.heading).toBe('Sharing is paused: you paused it until you resume.')
  await given.follow('Models')
  await expect.poll(given.heading).toBe('You can use 5 models right now.')
  await given.follow('Network')
  await expect.poll(given.heading).toBe('You are connected to 2 peers, 1 directly.')
  await given.follow('Traffic')
  await expect.poll(given.heading).toBe('14 requests today: 8 to peers\u00a0· 3 from peers\u00a0· 3 local.')
  await given.follow('Settings')
  await expect.poll(given.heading).toBe('Changes are saved as you make them.')
  await given.follow('Advanced')
  await expect.poll(given.heading).toBe('Everything runs with its default settings.')
})

test('the pill tells the state and leads to its cause', async () => {
  const pill = given.page.getByRole('link', { name: /^Status:/ })
  await expect.poll(() => pill.innerText()).toBe('Paused: you paused it until you resume')
  await pill.click()
  expect(new URL(given.page.url()).hash).toBe('#/share')
})

test('the doctor is shown as it changes, the pill leads to it, and peers are asked with the keyboard', async () => {
  const { pause } = given.node.needs.sharing
  const open = { ...pause.state(), paused: false, reasons: [] }
  Object.assign(pause, { state: () => open })
  await given.follow('Network')
  const doctor = given.page.getByRole('region', { name: 'Doctor' })
  await doctor.getByText('Nothing is wrong.').waitFor()
  given.node.find([
    { id: 'relays', state: 'warn', fact: 'No place at a relay.', meaning: 'It is slower.', fix: 'Find `one`.' },
    {
      id: 'clock',
      state: 'bad',
      fact: 'The clock is off.',
      meaning: 'M.',
      fix: 'F.',
      brief: 'the clock is 2 h behind',
    },
  ])
  await doctor.getByText('One thing is broken.').waitFor()
  expect(await doctor.getByRole('listitem').allInnerTexts()).toEqual([
    expect.stringMatching(/^Broken[\s\S]*The clock is off/),
    expect.stringMatching(/^Warning[\s\S]*What to do: Find one/),
  ])
  const ask = doctor.getByRole('button', { name: 'Test from outside' })
  await ask.focus()
  await given.page.keyboard.press('Enter')
  await given.page.getByText('The doctor has finished').waitFor()
  expect(await doctor.getByRole('button', { name: 'Copy report' }).isEnabled()).toBe(true)
  await given.follow('Home')
  await given.page.getByRole('link', { name: /the clock is 2 h behind/ }).click()
  await doctor.getByText('The clock is off.').waitFor()
  expect(await doctor.evaluate((element) => element.parentElement === document.activeElement)).toBe(true)
  given.node.find([])
  await doctor.getByText('Nothing is wrong.').waitFor()
})

test('a test from outside for which no peer can be asked does not claim to have finished', async () => {
  const fact = 'No peer has reported a public address of this node yet.'
  const reachable = { id: 'reachable', state: 'unknown', fact, meaning: 'M.', fix: '' } as const
  const { doctor } = given.node.needs
  Object.assign(doctor!, { run: () => Promise.resolve({ atMs: 0, peerId: ALICE, checks: [reachable] }) })
  await given.follow('Network')
  await given.page.getByRole('button', { name: 'Test from outside' }).click()
  await given.page.getByText(`Nothing was tested from outside. ${fact}`).waitFor()
  expect(await given.page.getByText('The doctor has finished').count()).toBe(0)
})

test('the base URL and an example with an available model can be copied', async () => {
  const clipboard = (): Promise<string> => given.page.evaluate(() => navigator.clipboard.readText())
  await given.page.getByRole('button', { name: 'Copy' }).first().click()
  await given.page.getByText('Copied').waitFor()
  expect(await clipboard()).toBe('http://127.0.0.1:8092/v1')
  await given.page.getByRole('tab', { name: 'Python' }).click()
  await given.page.getByRole('tabpanel').getByRole('button', { name: 'Copy' }).click()
  await expect.poll(clipboard).toContain('base_url="http://127.0.0.1:8092/v1"')
  expect(await clipboard()).toMatch(/model="(qwen3:8b|llama3|deepseek|mistral)/)
})

test('the key leaves the address at once and survives a reload', async () => {
  await given.page.getByTestId('base-url').waitFor()
  expect(given.page.url()).not.toContain(given.dashboard.server.token)
  await given.page.reload()
  await given.page.getByTestId('base-url').waitFor()
})

test('a new request appears while it runs, and again when it ended', async () => {
  await given.follow('Traffic')
  const rows = given.page.getByRole('table', { name: 'Traffic' }).getByRole('row')
  await expect.poll(() => rows.count()).toBe(15)
  const started = { direction: 'out', service: 'llm', method: 'POST', route: '/v1/chat/completions' } as const
  const request = given.node.traffic.begin({ id: 'live', model: 'brand-new-model', ...started })
  await given.page.getByText('brand-new-model').waitFor()
  expect(await rows.nth(1).innerText()).toContain('running')
  request.finish({ status: 200, tries: 1 })
  await expect.poll(() => rows.nth(1).innerText()).toContain('200')
})

test('a paused list stays as it is and counts what is new', async () => {
  await given.follow('Traffic')
  await given.page.getByRole('button', { name: 'Pause list' }).click()
  given.node.traffic.begin({ id: 'live', direction: 'in', service: 'llm', method: 'GET', route: '/v1/late' }).finish()
  await given.page.getByRole('button', { name: 'Resume list (1 new)' }).click()
  await given.page.getByText('/v1/late').waitFor()
})

test('models are found by a part of their name', async () => {
  await given.follow('Models')
  await given.page.getByRole('searchbox', { name: 'Search models' }).fill('DEEP')
  await expect.poll(() => given.page.getByRole('table').getByRole('row').count()).toBe(2)
  await given.page.getByRole('searchbox').fill('nothing like it')
  await given.page.getByText('No model’s name contains “nothing like it”.').waitFor()
})

test('a server that does not answer says why', async () => {
  await given.follow('Share')
  await given.page.getByText('Nothing listens on port 1234.', { exact: false }).waitFor()
  await given.page.getByText('Not answering').waitFor()
})

test('every page is reached with the keyboard alone', async () => {
  await given.page.getByTestId('base-url').waitFor()
  for (const name of ['Skip to the page', 'Home', 'Chat', 'Share', 'Models', 'Network', 'Traffic', 'Settings']) {
    await given.page.keyboard.press('Tab')
    expect(await given.page.evaluate(() => document.activeElement?.textContent)).toBe(name)
  }
  await given.page.keyboard.press('Enter')
  await expect.poll(() => given.page.title()).toBe('Settings – Open Compute')
})

test('the chosen theme holds after a reload', async () => {
  await given.follow('Settings')
  await given.page.getByRole('radio', { name: 'Dark' }).check()
  await given.page.reload()
  expect(await given.page.evaluate(() => document.documentElement.dataset['theme'])).toBe('dark')
  await given.follow('Settings')
  await given.page.getByRole('radio', { name: 'System' }).check()
  expect(await given.page.evaluate(() => document.documentElement.dataset['theme'])).toBe('light')
})
