import { expect, test } from 'vitest'
import { ALICE, createFakeNode } from '../../contract/fake-node.js'
import { givenDashboard } from './given.js'

/** A node that has nothing to show yet. */
const given = givenDashboard(createFakeNode)

test('every page of a node that has nothing yet says so and what to do next', async () => {
  await given.page.getByText('The gateway is running, but there are no models to use yet.').waitFor()
  for (const [name, hint] of [
    ['Models', 'Start a local server such as Ollama'],
    ['Network', 'Check the bootstrap settings'],
    ['Traffic', 'Send one with an example from the Home page'],
  ] as const) {
    await given.follow(name)
    await given.page.getByText(hint, { exact: false }).waitFor()
  }
})

test('a message that can not be sent yet stays in its field', async () => {
  given.node.needs.gatewayUrl = () => null
  given.node.offer(ALICE, 'llm', ['model=llama3.3'])
  await given.dashboard.goTo('#/chat/llama3.3')
  const message = given.page.getByRole('textbox', { name: 'Message' })
  // What a page is still loading when it is left, it complains of.
  await message.waitFor()
  await given.page.reload()
  await message.fill('Hello?')
  await given.page.keyboard.press('Enter')
  expect(await message.inputValue()).toBe('Hello?')
  expect(await given.page.getByRole('button', { name: 'Send' }).isDisabled()).toBe(true)
})
