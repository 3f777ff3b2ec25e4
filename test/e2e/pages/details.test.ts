import { expect, test } from 'vitest'
import { MAX_BACKUP_LENGTH } from '#shared/contract/network/identity.js'
import { AppError } from '#shared/errors.js'
import { ALICE, BOB } from '../../contract/fake-node.js'
import { openPalette } from '../fake-dashboard.js'
import { createFurnishedNode } from '../furnished-node.js'
import { givenDashboard } from './given.js'

const given = givenDashboard(createFurnishedNode)

test('the palette leads anywhere, and gives the focus back', async () => {
  await given.page.getByTestId('base-url').waitFor()
  await openPalette(given.page)
  await given.page.keyboard.type('mistral')
  await given.page
    .getByRole('listbox')
    .getByRole('option', { name: /mistral-small:24b/ })
    .waitFor()
  await given.page.keyboard.press('Enter')
  await given.page.getByRole('heading', { name: 'mistral-small:24b · 1 provider' }).waitFor()
  await openPalette(given.page)
  await given.page.keyboard.type('cors')
  await given.page.getByText('Nothing is called “cors”.').waitFor()
  await given.page.keyboard.press('Escape')
  await given.page.getByRole('combobox', { name: 'Go to or do anything' }).waitFor({ state: 'detached' })
})

test('keys lead to the pages and tell of themselves, but not while somebody types', async () => {
  await given.page.getByTestId('base-url').waitFor()
  await given.page.keyboard.press('g')
  await given.page.keyboard.press('m')
  await expect.poll(given.heading).toBe('You can use 5 models right now.')
  await given.page.keyboard.press('/')
  await given.page.keyboard.type('gn?')
  expect(await given.page.getByRole('searchbox', { name: 'Search models' }).inputValue()).toBe('gn?')
  await given.page.getByRole('heading', { level: 1 }).click()
  await given.page.keyboard.press('?')
  await given.page.getByRole('dialog', { name: 'Keyboard shortcuts' }).waitFor()
  await given.page.keyboard.press('Escape')
  await given.page.getByRole('dialog').waitFor({ state: 'detached' })
})

test('a failed request tells why, each try and its id', async () => {
  await given.follow('Traffic')
  await given.page.getByRole('radio', { name: 'Failed' }).check()
  const rows = given.page.getByRole('table', { name: 'Traffic' }).getByRole('row')
  await expect.poll(() => rows.count()).toBe(2)
  await rows
    .nth(1)
    .getByRole('link', { name: /^Request of/ })
    .click()
  const sheet = given.page.getByRole('dialog', { name: 'Request' })
  await sheet.getByText('Every provider that was asked failed').waitFor()
  await sheet.getByText('request-5').waitFor()
  await given.page.keyboard.press('Escape')
  await sheet.waitFor({ state: 'detached' })
  expect(new URL(given.page.url()).hash).toBe('#/traffic')
})

test('what a table is about has two fifths of it, wide or narrow, and long names of models keep their end', async () => {
  const shareOf = (table: string, column: string): Promise<number> =>
    given.page
      .getByRole('table', { name: table })
      .getByRole('columnheader', { name: column })
      .evaluate((cell) => cell.clientWidth / (cell.closest('table')?.clientWidth ?? Infinity))
  for (const [width, height] of [
    [1440, 900],
    [1280, 800],
    [900, 600],
  ] as const) {
    await given.page.setViewportSize({ width, height })
    for (const [hash, table, column] of [
      ['models', 'Models', 'Model'],
      ['traffic', 'Traffic', 'Model'],
      [`models/${encodeURIComponent('qwen3:8b')}`, 'Providers', 'Provider'],
    ] as const) {
      await given.page.evaluate((to) => (location.hash = to), `#/${hash}`)
      await expect
        .poll(() => shareOf(table, column), { message: `${column} of ${table} at ${width}` })
        .toBeGreaterThan(0.39)
    }
  }
  const name = 'hf.co/unsloth/DeepSeek-R1-0528-Qwen3-8B-with-a-longer-name-than-most-GGUF:Q8_0'
  given.node.offer(BOB, 'llm', [`model=${name}`])
  await given.page.evaluate(() => (location.hash = '#/models'))
  const long = given.page.getByRole('link', { name })
  const [cut, whole] = await long.evaluate((link) => {
    const head = link.firstElementChild?.firstElementChild
    return [(head?.scrollWidth ?? 0) - (head?.clientWidth ?? 0), link.scrollWidth - link.clientWidth]
  })
  expect(cut).toBeGreaterThan(0)
  expect(whole).toBeLessThanOrEqual(1)
})

test('a request that no one could answer is not said to be this computer’s', async () => {
  const started = { direction: 'local', service: 'llm', method: 'POST', route: '/v1/chat/completions' } as const
  given.node.traffic.begin({ id: 'nobody', model: 'nobody-has-it', ...started }).finish({
    ...{ status: 404, error: 'model_not_found', tries: 0 },
  })
  await given.follow('Traffic')
  await expect
    .poll(given.heading)
    .toBe('15 requests today: 8 to peers\u00a0· 3 from peers\u00a0· 3 local\u00a0· 1 unanswered.')
  const row = given.page.getByRole('row').filter({ hasText: 'nobody-has-it' })
  expect(await row.innerText()).not.toContain('Local')
  await row.getByRole('link').click()
  await given.page.getByRole('dialog').getByText('No provider was asked, because no one offers it.').waitFor()
  await given.page.keyboard.press('Escape')
})

test('what the node refuses to save is told beside the field', async () => {
  given.node.needs.settings.save = () => Promise.reject(new AppError('invalid_settings', 'port: "x" is not a port.'))
  await given.page.evaluate(() => (location.hash = '#/settings/port'))
  await given.page.getByRole('button', { name: 'Change port' }).click()
  await given.page.getByRole('textbox', { name: 'port', exact: true }).fill('x')
  await given.page.getByRole('button', { name: 'Save', exact: true }).click()
  await given.page.getByRole('alert').getByText('port: "x" is not a port.').waitFor()
  await given.page.getByRole('button', { name: 'Cancel' }).click()
  await given.page.getByRole('button', { name: 'Change port' }).waitFor()
  // The browser reports every answer of 400 and above.
  expect(given.dashboard.complaints.splice(0)).toHaveLength(1)
})

test('a backup of another identity says what restoring it does, before it does', async () => {
  await given.follow('Settings')
  await given.page.getByRole('button', { name: 'Restore…' }).click()
  const dialog = given.page.getByRole('dialog', { name: 'Restore an identity' })
  const choose = (text: string): Promise<void> =>
    dialog
      .getByLabel('Backup file')
      .setInputFiles({ name: 'b.json', mimeType: 'application/json', buffer: Buffer.from(text) })
  await choose('x'.repeat(MAX_BACKUP_LENGTH + 1))
  await dialog.getByRole('alert').getByText('too big').waitFor()
  await choose('{}')
  await dialog.getByText('peers no longer find it').waitFor()
  await dialog.getByRole('button', { name: `copy ${ALICE}` }).waitFor()
  const restore = dialog.getByRole('button', { name: 'Restore', exact: true })
  expect(await restore.isDisabled()).toBe(true)
  await dialog.getByLabel('Passphrase of the backup').fill('correct horse')
  await restore.click()
  await dialog.waitFor({ state: 'detached' })
  await given.page.getByText('kept as identity.key.bak-20231114T221320Z').waitFor()
  await given.page.getByText(`After the next start this node is ${ALICE}.`).waitFor()
})

test('each bootstrap source is shown with its last result', async () => {
  await given.follow('Network')
  const rows = given.page.getByRole('table', { name: 'Bootstrap sources' }).getByRole('row')
  await expect.poll(() => rows.nth(1).innerText()).toMatch(/Answered[\s\S]*3 addresses/)
  expect(await rows.nth(2).innerText()).toMatch(/Failed[\s\S]*no answer within 10 s/)
  expect(await rows.nth(3).innerText()).toMatch(/Unusable[\s\S]*it is no address/)
})

test('a model gets a further name, and one that is taken is refused before it is saved', async () => {
  const asked: unknown[] = []
  const { shares } = given.node.needs.sharing
  const [share] = shares.list()
  if (share === undefined) throw new Error('the fake shares nothing')
  shares.add = (request) => Promise.resolve((asked.push(request.aliases), share))
  await given.follow('Share')
  const names = given.page.getByRole('textbox', { name: 'Aliases of llama3.2:latest' })
  await names.fill('small, small')
  await given.page.getByText('This name is used twice.').waitFor()
  expect(await given.page.getByRole('button', { name: 'Share 1 model with everyone' }).isDisabled()).toBe(true)
  await names.fill('small, llama')
  await given.page.getByRole('button', { name: 'Share 1 model with everyone' }).click()
  await expect
    .poll(() => asked)
    .toEqual([
      [
        { name: 'small', model: 'llama3.2:latest' },
        { name: 'llama', model: 'llama3.2:latest' },
      ],
    ])
})

test('models are sorted by how busy their providers are, those that tell nothing last', async () => {
  const answer = { slotsTotal: 4, slotsFree: 0, queueLength: 6, paused: null, offers: '', version: '', timeMs: 0 }
  given.node.needs.table.status.peek = (peerId) => (peerId === BOB ? answer : undefined)
  await given.follow('Models')
  const table = given.page.getByRole('table', { name: 'Models' })
  await table.getByText('4 of 4 +2').waitFor()
  await table.getByRole('button', { name: 'Load' }).click()
  await table.getByRole('button', { name: 'Load' }).click()
  await expect.poll(() => table.getByRole('row').nth(1).innerText()).toContain('mistral-small:24b')
  await expect.poll(() => table.getByRole('row').last().innerText()).not.toMatch(/ of \d/)
})
