import { expect, test } from 'vitest'
import { startWalk } from './walk.js'

const walk = startWalk()
const button = (name: string) => walk.page.getByRole('button', { name, exact: true })

test('a backup is chosen with a button like the others, and the name of the file stands beside it', async () => {
  await walk.open('#/settings')
  await button('Restore…').click()
  const dialog = walk.page.getByRole('dialog', { name: 'Restore an identity' })
  await dialog.getByText('No file chosen').waitFor()
  const input = dialog.getByLabel('Backup file')
  expect(await input.evaluate((field) => field.clientWidth)).toBeLessThanOrEqual(1)
  await input.setInputFiles({ name: 'of-my-laptop.json', mimeType: 'application/json', buffer: Buffer.from('{}') })
  await dialog.getByText('of-my-laptop.json').waitFor()
  await walk.page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
})

// The last of the file: the node does not come back.
test('while the node is away, Share and Settings say so first and let nothing be changed', async () => {
  await walk.open('#/share')
  expect(await button('Stop sharing').isEnabled()).toBe(true)
  await walk.dashboard.goTo('#/settings')
  await walk.page.getByRole('switch', { name: 'Pause on battery' }).waitFor()
  await walk.dashboard.leave()
  await expect.poll(walk.heading).toBe('The node is not answering')
  expect(await walk.page.getByRole('switch', { name: 'Pause on battery' }).isDisabled()).toBe(true)
  // How the page looks is the page's own.
  expect(await walk.page.getByRole('radio', { name: 'Dark' }).isEnabled()).toBe(true)
  await walk.dashboard.goTo('#/share')
  await expect.poll(walk.heading).toBe('The node is not answering')
  expect(await button('Stop sharing').isDisabled()).toBe(true)
  // What was known stays to be read.
  await walk.page.getByRole('region', { name: /^Ollama/ }).waitFor()
  // The browser reports each call that found no one.
  walk.dashboard.complaints.length = 0
})
