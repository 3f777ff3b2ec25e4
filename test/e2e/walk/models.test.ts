import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { ALICE, BOB } from '../../contract/fake-node.js'
import { startWalk } from './walk.js'

const LONG = 'hf.co/unsloth/DeepSeek-R1-0528-Qwen3-8B-with-a-longer-name-than-most-GGUF:Q8_0'
const HIDDEN = 'Qwen\u202e3\u200b-8B'
/** The gateway, as far as a page asks it for embeddings. */
let gateway: Server
const asked: unknown[] = []

beforeAll(async () => {
  gateway = createServer((request, response) => {
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.setHeader('Access-Control-Allow-Headers', '*')
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => {
      if (request.url === '/v1/chat/completions' && request.method === 'POST') {
        const { model, messages } = JSON.parse(body) as { model: string; messages: { content: string }[] }
        const delta = { content: `I am ${model}, asked: ${messages.at(-1)?.content ?? ''}` }
        response.setHeader('Content-Type', 'text/event-stream')
        response.end(`data: ${JSON.stringify({ choices: [{ delta, finish_reason: 'stop' }] })}\n\ndata: [DONE]\n\n`)
        return
      }
      if (request.method === 'POST') asked.push(JSON.parse(body))
      response.end(JSON.stringify({ data: [{ embedding: [3, 4, 0] }, { embedding: [4, 3, 0] }] }))
    })
  })
  await new Promise<void>((resolve) => gateway.listen(0, '127.0.0.1', resolve))
})
afterAll(() => {
  gateway.close()
})

const walk = startWalk((node) => {
  node.needs.gatewayUrl = () => `http://127.0.0.1:${(gateway.address() as AddressInfo).port}`
  node.offer(BOB, 'llm', [`model=${LONG}`, 'model=embedder', 'model=seer', `model=${HIDDEN}`])
  const list = node.needs.models.list.bind(node.needs.models)
  const facts: Record<string, object> = {
    embedder: { kind: 'embedding', contextTokens: 8192, sizeBytes: 274_000_000 },
    seer: { kind: 'chat', capabilities: ['vision', 'tools'], parameters: '7.6B', quantization: 'Q4_K_M' },
    'qwen3:8b': { kind: 'chat', capabilities: ['tools'], contextTokens: 131_072 },
  }
  node.needs.models.list = () => list().map((model) => ({ ...model, facts: facts[model.id] ?? model.facts }))
})
const table = () => walk.page.getByRole('table', { name: 'Models' })
const row = (name: string) =>
  table()
    .getByRole('row')
    .filter({ has: walk.page.getByRole('link', { name, exact: true }) })

test('names of models have the room they need, and keep their end where that is too little', async () => {
  await walk.open('#/models')
  for (const width of [1280, 900]) {
    await walk.page.setViewportSize({ width, height: 800 })
    const share = await table()
      .getByRole('columnheader', { name: 'Model' })
      .evaluate((cell) => cell.clientWidth / (cell.closest('table')?.clientWidth ?? Infinity))
    expect(share, `at ${width}`).toBeGreaterThan(0.39)
    const [end, right] = await row(LONG)
      .getByRole('link', { name: LONG })
      .evaluate((link) => {
        const tail = link.firstElementChild?.lastElementChild
        return [
          tail?.textContent,
          (tail?.getBoundingClientRect().right ?? Infinity) <= (link.closest('td')?.getBoundingClientRect().right ?? 0),
        ]
      })
    expect([end, right]).toEqual(['most-GGUF:Q8_0', true])
    const short = row('qwen3:8b').getByRole('link', { name: 'qwen3:8b' })
    expect(await short.evaluate((link) => link.scrollWidth <= link.clientWidth)).toBe(true)
  }
  await walk.page.setViewportSize({ width: 1280, height: 800 })
})

test('kinds, sizes and contexts stand in the list as servers tell them', async () => {
  await walk.page.setViewportSize({ width: 1600, height: 900 })
  await walk.open('#/models')
  expect(await row('embedder').innerText()).toMatch(/Embeddings[\s\S]*274 MB/)
  expect(await row('seer').innerText()).toMatch(/Vision[\s\S]*7\.6B · Q4_K_M/)
  expect(await row('qwen3:8b').innerText()).toContain('128K')
  await walk.page.setViewportSize({ width: 1280, height: 800 })
})

test('models that no one would answer for are counted apart and said to be out of reach', async () => {
  const { reachable } = walk.node.needs
  const standing = reachable.standing.bind(reachable)
  reachable.standing = (peerId) => (peerId === ALICE || peerId === BOB ? 'proven' : 'away')
  await walk.open('#/models')
  expect(await walk.heading()).toBe('You can use 7 models right now. 1 more is known but not reachable.')
  const away = row('deepseek-ai/DeepSeek-R1-Distill-Qwen-32B')
  expect(await away.innerText()).toContain('Not reachable')
  await walk.open('#/home')
  expect(await walk.page.getByRole('link', { name: /DeepSeek-R1-Distill/ }).count()).toBe(0)
  reachable.standing = standing
})

test('a favourite comes first, on this page and on Home, also after a reload', async () => {
  await walk.open('#/models')
  await table().getByRole('button', { name: 'Favourite seer' }).click()
  await expect.poll(() => table().getByRole('row').nth(1).innerText()).toContain('seer')
  await walk.open('#/home')
  const first = walk.page.getByRole('region', { name: 'Models you can use now' }).getByRole('listitem').first()
  expect(await first.innerText()).toContain('seer')
  await walk.open('#/models')
  await walk.page.getByRole('radio', { name: 'Favourites' }).check()
  await walk.page.getByText('1 of 8 models').waitFor()
})

test('the id of a model is copied from the list and from its page', async () => {
  const clipboard = (): Promise<string> => walk.page.evaluate(() => navigator.clipboard.readText())
  await walk.open('#/models')
  await row('qwen3:8b').hover()
  await walk.page.getByRole('button', { name: 'Copy qwen3:8b' }).click()
  await expect.poll(clipboard).toBe('qwen3:8b')
  await walk.open('#/models/seer')
  await walk.page.getByRole('button', { name: 'Copy', exact: true }).click()
  await expect.poll(clipboard).toBe('seer')
})

test('a click on a figure’s head puts the largest on top', async () => {
  await walk.open('#/models')
  await table().getByRole('button', { name: 'Tokens/s' }).click()
  const head = table().getByRole('columnheader', { name: 'Tokens/s' })
  expect(await head.getAttribute('aria-sort')).toBe('descending')
  expect(await table().getByRole('row').last().innerText()).toContain('–')
})

test('a model of embeddings is tried with two texts instead of a chat', async () => {
  await walk.open('#/models/embedder')
  expect(await walk.page.getByRole('button', { name: 'Chat' }).count()).toBe(0)
  await walk.page.getByRole('button', { name: 'Compare' }).click()
  await walk.page.getByText('96 %').waitFor()
  expect(asked).toEqual([{ model: 'embedder', input: ['The cat sleeps on the sofa.', 'A kitten naps on the couch.'] }])
  await walk.open('#/chat')
  const options = await walk.page.getByRole('combobox', { name: 'Model' }).locator('option').allInnerTexts()
  expect(options).toContain('seer')
  expect(options).not.toContain('embedder')
})

test('whether providers have the same file as this computer stands beside each', async () => {
  const { models } = walk.node.needs
  const facts = models.facts.bind(models)
  models.facts = (id, peerId) =>
    id === 'qwen3:8b' ? { digest: peerId === ALICE ? 'ffffffffffffffff' : '0123456789abcdef' } : undefined
  walk.node.offer(BOB, 'llm', ['model=qwen3:8b'])
  await walk.open('#/models/qwen3%3A8b')
  const providers = walk.page.getByRole('table', { name: 'Providers' })
  await providers.getByText('Yours', { exact: true }).waitFor()
  await providers.getByText('Not yours').waitFor()
  await providers.getByText('Same as yours').waitFor()
  await walk.page.getByText('0123456789ab, the same at 2 of 3 providers').waitFor()
  models.facts = facts
  walk.node.offer(BOB, 'llm', [`model=${LONG}`, 'model=embedder', 'model=seer', `model=${HIDDEN}`])
})

test('images go to models that see, and not to those that are known not to', async () => {
  await walk.open('#/chat/seer')
  await walk.page.getByRole('button', { name: 'Add an image' }).waitFor()
  await walk.page.getByRole('combobox', { name: 'Model' }).selectOption('qwen3:8b')
  await walk.page.getByRole('button', { name: 'Add an image' }).waitFor({ state: 'detached' })
})

test('the examples on Home can be had for any model, from its page and from a list', async () => {
  await walk.open('#/models/seer')
  await walk.page.getByRole('button', { name: 'Connect an app' }).click()
  await expect.poll(() => walk.page.getByRole('combobox', { name: 'Model in the examples' }).inputValue()).toBe('seer')
  await walk.page.getByRole('tabpanel').getByText('"model": "seer"').waitFor()
  await walk.page.getByRole('combobox', { name: 'Model in the examples' }).selectOption('qwen3:8b')
  await walk.page.getByRole('tabpanel').getByText('"model": "qwen3:8b"').waitFor()
})

test('the steps of a test add up to its whole', async () => {
  await walk.open('#/models/seer')
  await walk.page.getByRole('button', { name: 'Test' }).click()
  await walk.page.getByText(/^It (works|did not work)/).waitFor()
  const steps = await walk.page
    .getByRole('list', { name: 'Test this model' })
    .getByRole('listitem')
    .evaluateAll((items) => items.map(({ textContent }) => Number(/(\d+) ms$/.exec(textContent)?.[1])))
  const total = steps.pop() ?? NaN
  expect(steps.length).toBeGreaterThan(0)
  // Each is rounded for itself.
  expect(Math.abs(steps.reduce((sum, ms) => sum + ms, 0) - total)).toBeLessThanOrEqual(2)
})

test('marks that can’t be seen in a name are shown by their code', async () => {
  await walk.open('#/models')
  const odd = table().getByRole('row').filter({ hasText: 'U+202E' })
  expect(await odd.innerText()).toMatch(/Qwen\s*U\+202E\s*3\s*U\+200B\s*-8B/)
})

test('two models are asked the same and answer beside each other', async () => {
  await walk.open('#/chat')
  await walk.page.getByRole('link', { name: 'Compare two models' }).click()
  const side = (name: string) => walk.page.getByRole('region', { name })
  await side('First model').getByRole('combobox', { name: 'Model' }).selectOption('seer')
  await side('Second model').getByRole('combobox', { name: 'Model' }).selectOption('qwen3:8b')
  await walk.page.getByRole('textbox', { name: 'Message' }).fill('Who are you?')
  await walk.page.keyboard.press('Enter')
  await side('First model').getByText('I am seer, asked: Who are you?').waitFor()
  await side('Second model').getByText('I am qwen3:8b, asked: Who are you?').waitFor()
  // The conversations of the page know nothing of it.
  await walk.page.getByRole('link', { name: 'Conversations', exact: true }).click()
  await walk.page.getByRole('navigation', { name: 'Conversations' }).waitFor()
  expect(await walk.page.getByText('I am seer', { exact: false }).count()).toBe(0)
  await walk.dashboard.goTo('#/chat/~compare')
  await side('First model').getByText('I am seer, asked: Who are you?').waitFor()
  await walk.dashboard.look('compare')
})
