import { readFileSync } from 'node:fs'
import type { ServerResponse } from 'node:http'
import type { Locator, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { ALICE, BOB, createFakeNode, type FakeNode } from '../contract/fake-node.js'
import { lendChromium, noChromium, type Browser } from '../fixtures/chromium/launch.js'
import { startTestServer, type TestServer } from '../fixtures/http-server.js'
import { openFakeDashboard, type FakeDashboard } from './fake-dashboard.js'

/** What the page sent to the gateway. */
interface Asked {
  model: string
  messages: { role: string; content: unknown }[]
  temperature?: number
  max_tokens?: number
  prefer: string | undefined
}

let browser: Browser
let node: FakeNode
let dashboard: FakeDashboard
let page: Page
let gateway: TestServer
let asked: Asked[]
/** Paths that anything asked the gateway for, besides answers. */
let fetched: string[]
/** How the next question is answered; the default says what was asked. */
let answer: (question: Asked, response: ServerResponse) => void

beforeAll(async () => {
  if (noChromium === undefined) browser = await lendChromium()
})
afterAll(() => (noChromium === undefined ? browser.close() : undefined))

beforeEach(async (context) => {
  context.skip(noChromium !== undefined, noChromium)
  asked = []
  fetched = []
  answer = (question, response) => finish(response, `You said: ${String(question.messages.at(-1)?.content)}`)
  gateway = await startTestServer((request, response) => {
    response.setHeader('Access-Control-Allow-Origin', '*')
    response.setHeader('Access-Control-Allow-Headers', '*')
    response.setHeader('Access-Control-Expose-Headers', 'X-Computing-Node, X-Ocf-Tries')
    if (request.method === 'OPTIONS') return void response.writeHead(204).end()
    if (request.url !== '/v1/chat/completions') {
      fetched.push(request.url ?? '')
      return void response.writeHead(404).end()
    }
    let body = ''
    request.on('data', (chunk) => (body += String(chunk)))
    request.on('end', () => {
      const prefer = request.headers['x-ocf-prefer']
      const question = { ...JSON.parse(body), prefer } as Asked
      asked.push(question)
      response.setHeader('X-Computing-Node', ALICE)
      answer(question, response)
    })
  })
  node = createFakeNode({ gatewayUrl: gateway.origin, startedAtMs: Date.now() - 60_000 })
  node.connect(ALICE, 'direct-quic')
  node.connect(BOB, 'relayed')
  node.offer(ALICE, 'llm', ['model=qwen3:8b', 'model=llama3.3:70b'])
  node.offer(BOB, 'llm', ['model=qwen3:8b'])
  dashboard = await openFakeDashboard(browser, node)
  page = dashboard.page
  await dashboard.goTo(`#/chat/${encodeURIComponent('qwen3:8b')}`)
  await page.getByRole('heading', { level: 1, name: 'New chat' }).waitFor()
})
afterEach(async () => {
  await dashboard.close()
  await gateway.close()
})

const say = (response: ServerResponse, delta: Record<string, string>): void =>
  void response.write(`data: ${JSON.stringify({ choices: [{ delta }] })}\n\n`)

function finish(response: ServerResponse, text: string): void {
  if (!response.headersSent) response.setHeader('content-type', 'text/event-stream')
  say(response, { content: text })
  response.end('data: {"choices":[],"usage":{"completion_tokens":7}}\n\ndata: [DONE]\n\n')
}

const log = (): Locator => page.getByRole('log', { name: 'Conversation' })
const button = (name: string): Locator => page.getByRole('button', { name, exact: true })

async function ask(text: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Message' }).fill(text)
  await expect.poll(() => button('Send').isEnabled()).toBe(true)
  await page.keyboard.press('Enter')
}

/** Asks, and waits for the whole answer. */
async function asking(text: string): Promise<void> {
  const before = await button('Try again').count()
  await ask(text)
  await expect.poll(() => button('Try again').count()).toBe(before + 1)
}

const RICH = `# A plan

Some **bold**, *soft* and ~~old~~ words, \`code\`, 3 &lt; 4 and [a link](https://example.org/page).

| Name | Size |
|------|-----:|
| qwen | 8 |
| llama | 70 |

\`\`\`js
const answer = 'forty-two' // why not
\`\`\`

1. one
2. two
   - [x] done
   - [ ] not done

> said before

The area is $\\pi r^2$, it costs $5 and $6, and
$$
E = mc^2
$$
`

test('an answer in Markdown is set: tables, code with colours and a copy button, lists and formulas', async () => {
  answer = (_question, response) => finish(response, RICH)
  await asking('Show me')
  await log().getByRole('heading', { name: 'A plan', level: 3 }).waitFor()
  expect(await log().getByRole('row').allInnerTexts()).toEqual(['Name\tSize', 'qwen\t8', 'llama\t70'])
  await log().locator('pre span', { hasText: "'forty-two'" }).first().waitFor()
  await log().getByRole('button', { name: 'Copy code' }).click()
  const clipboard = (): Promise<string> => page.evaluate(() => navigator.clipboard.readText())
  await expect.poll(clipboard).toBe("const answer = 'forty-two' // why not")
  expect(await log().getByRole('checkbox').count()).toBe(2)
  await expect.poll(() => log().locator('math').count()).toBe(2)
  expect(await log().innerText()).toMatch(/it costs \$5 and \$6/)
  expect(await log().innerText()).toContain('3 < 4')
  const link = log().getByRole('link', { name: 'a link' })
  expect(await link.getAttribute('rel')).toContain('noopener')
  await button('Copy answer').click()
  await expect.poll(clipboard).toBe(RICH)
  expect(await log().innerText()).toMatch(/7 tokens[\s\S]*over Direct/)
  await dashboard.look('chat-rich')
  expect(dashboard.complaints).toEqual([])
})

test('what a model thinks is folded, whether its server keeps it apart or not', async () => {
  answer = (_question, response) => {
    response.setHeader('content-type', 'text/event-stream')
    say(response, { reasoning_content: 'First I count.' })
    finish(response, 'Three.')
  }
  await asking('How many?')
  answer = (_question, response) => finish(response, '<think>Then I **add**.</think>\n\nFour.')
  await asking('And now?')
  expect(await log().getByText('Three.', { exact: true }).isVisible()).toBe(true)
  for (const thought of ['First I count.', 'Then I **add**.']) {
    const folded = log().getByText(thought)
    expect(await folded.isVisible()).toBe(false)
    await log().locator('details').filter({ hasText: thought }).locator('summary').click()
    await folded.waitFor()
  }
  await asking('What did you say?')
  expect(asked.at(-1)?.messages.map(({ content }) => content)).toEqual([
    ...['How many?', 'Three.', 'And now?', 'Four.', 'What did you say?'],
  ])
})

test('conversations are kept side by side, found, named, deleted and saved, and outlast a look at another page', async () => {
  await asking('The first question of all')
  await button('New chat').click()
  await page.getByRole('heading', { level: 1, name: 'New chat' }).waitFor()
  await asking('Something about boats')
  await dashboard.goTo('#/traffic')
  await page.getByRole('link', { name: 'Chat', exact: true }).click()
  await log().getByText('You said: Something about boats').waitFor()
  const list = page.getByRole('navigation', { name: 'Conversations' })
  const titles = (): Promise<string[]> => list.getByRole('listitem').allInnerTexts()
  expect(await titles()).toEqual(['Something about boats', 'The first question of all'])
  await list.getByRole('searchbox').fill('boats')
  await expect.poll(titles).toEqual(['Something about boats'])
  await list.getByRole('searchbox').fill('')
  await list.getByRole('button', { name: 'Rename “Something about boats”' }).click()
  await list.getByRole('textbox', { name: 'Title' }).fill('Ships')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { level: 1, name: 'Ships' }).waitFor()
  await dashboard.look('chat-list')
  const saving = page.waitForEvent('download')
  await button('Export').click()
  const saved = await saving
  expect(saved.suggestedFilename()).toMatch(/^chat-\d{4}-\d\d-\d\d\.md$/)
  expect(readFileSync(await saved.path(), 'utf8')).toBe(
    '# Ships\n\n## You\n\nSomething about boats\n\n## qwen3:8b\n\nYou said: Something about boats\n',
  )
  await list.getByRole('button', { name: 'Delete “Ships”' }).click()
  await page.getByRole('heading', { level: 1, name: 'The first question of all' }).waitFor()
  await expect.poll(titles).toEqual(['The first question of all'])
})

test('nothing of a conversation is kept in the browser or said to the node', async () => {
  const said: string[] = []
  page.on('request', (request) => {
    if (!request.url().startsWith(gateway.origin)) said.push(`${request.url()} ${request.postData() ?? ''}`)
  })
  await asking('a very secret word')
  await page.reload()
  await page.getByRole('heading', { level: 1, name: 'New chat' }).waitFor()
  expect(await page.getByText('a very secret word').count()).toBe(0)
  const kept = await page.evaluate(async () =>
    JSON.stringify([
      Object.entries(localStorage),
      Object.entries(sessionStorage),
      await indexedDB.databases(),
      await caches.keys(),
    ]),
  )
  expect(kept).not.toContain('secret')
  expect(said.join('\n')).not.toContain('secret')
  expect(JSON.stringify([node.traffic.entries(), node.needs.logs.lines()])).not.toContain('secret')
})

test('system prompt, temperature, limit, model and provider are those of the next question', async () => {
  await asking('Plainly')
  expect(asked[0]).toMatchObject({ model: 'qwen3:8b', messages: [{ role: 'user', content: 'Plainly' }] })
  expect(asked[0]).not.toHaveProperty('temperature')
  await button('Options').click()
  await page.getByRole('textbox', { name: 'System prompt' }).fill('Be brief.')
  const temperature = page.getByRole('textbox', { name: 'Temperature' })
  await temperature.fill('3')
  await page.getByText('A number from 0 to 2.').waitFor()
  await temperature.fill('0.2')
  await page.getByRole('textbox', { name: 'Max. tokens per answer' }).fill('50')
  await page.getByRole('combobox', { name: 'Provider' }).selectOption({ value: BOB })
  await dashboard.look('chat-options')
  await asking('With options')
  expect(asked[1]).toMatchObject({ temperature: 0.2, max_tokens: 50, prefer: BOB, model: 'qwen3:8b' })
  expect(asked[1]?.messages[0]).toEqual({ role: 'system', content: 'Be brief.' })
  await page.getByRole('combobox', { name: 'Model' }).selectOption('llama3.3:70b')
  await asking('Of another')
  expect(asked[2]).toMatchObject({ model: 'llama3.3:70b', prefer: undefined })
  expect(asked[2]?.messages).toHaveLength(6)
  expect(await log().getByText('llama3.3:70b answered').count()).toBe(1)
})

test('a question is edited and an answer tried again on branches that can be gone back to', async () => {
  await asking('One')
  await asking('Two')
  await button('Edit question').first().click()
  await page.getByRole('textbox', { name: 'Edit question' }).fill('Uno')
  await button('Send again').click()
  await log().getByText('You said: Uno').waitFor()
  expect(asked.at(-1)?.messages).toEqual([{ role: 'user', content: 'Uno' }])
  expect(await log().getByText('Two', { exact: true }).count()).toBe(0)
  await button('Earlier version').click()
  await log().getByText('You said: Two').waitFor()
  answer = (_question, response) => finish(response, 'Otherwise.')
  await button('Try again').last().click()
  await log().getByText('Otherwise.').waitFor()
  expect(asked.at(-1)?.messages.map(({ content }) => content)).toEqual(['One', 'You said: One', 'Two'])
  await log().getByText('2 of 2').waitFor()
  await dashboard.look('chat-branches')
})

test('an answer is stopped before its first word and in the middle, and says so', async () => {
  answer = (_question, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders()
  }
  await ask('Wait')
  await log().getByText('Waiting for the first token…').waitFor()
  await button('Stop').click()
  await log().getByText('Stopped', { exact: true }).waitFor()
  answer = (_question, response) => {
    response.setHeader('content-type', 'text/event-stream')
    say(response, { content: 'Half an answer' })
  }
  await ask('Once more')
  await log().getByText('Half an answer').waitFor()
  await button('Stop').click()
  await expect.poll(() => log().getByText('Stopped', { exact: true }).count()).toBe(2)
  expect(await log().getByText('Half an answer').count()).toBe(1)
})

test('a refusal is said in words with short names of peers, and can be tried again', async () => {
  const message = `Every provider that was asked failed: ${ALICE.slice(0, 8)}${'K'.repeat(44)} hung up.`
  answer = (_question, response) =>
    void response
      .writeHead(502, { 'content-type': 'application/json' })
      .end(JSON.stringify({ error: { message, code: 'upstream_failed', type: '', param: null } }))
  await asking('Please')
  await log().getByText('Every provider that was asked failed: …KKKKKKKK hung up.', { exact: false }).waitFor()
  await dashboard.look('chat-failed')
  answer = (_question, response) => finish(response, 'Here it is.')
  await button('Try again').click()
  await log().getByText('Here it is.').waitFor()
  expect(asked[1]?.messages).toEqual([{ role: 'user', content: 'Please' }])
})

test('images come by file, paste and drop, and go to the model as they are', async () => {
  const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='
  await page.locator('input[type=file]').setInputFiles([
    { name: 'dot.png', mimeType: 'image/png', buffer: Buffer.from(png, 'base64') },
    { name: 'not.txt', mimeType: 'text/plain', buffer: Buffer.from('no') },
  ])
  await page.getByText('not.txt is not an image this page can read.').waitFor()
  const images = page.getByRole('list', { name: 'Images to send' }).getByRole('img')
  await expect.poll(() => images.count()).toBe(1)
  for (const kind of ['paste', 'drop']) {
    await page.getByRole('textbox', { name: 'Message' }).evaluate(
      (field, [how, base64]) => {
        const bytes = Uint8Array.from(atob(base64!), (sign) => sign.charCodeAt(0))
        const data = new DataTransfer()
        data.items.add(new File([bytes], `${how}.png`, { type: 'image/png' }))
        const event =
          how === 'paste'
            ? new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true })
            : new DragEvent('drop', { dataTransfer: data, bubbles: true, cancelable: true })
        field.dispatchEvent(event)
      },
      [kind, png],
    )
  }
  await expect.poll(() => images.count()).toBe(3)
  await button('Remove paste.png').click()
  await dashboard.look('chat-images')
  await asking('What is it?')
  const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } }
  expect(asked[0]?.messages).toEqual([{ role: 'user', content: [{ type: 'text', text: 'What is it?' }, image, image] }])
  expect(await images.count()).toBe(0)
  expect(await log().getByRole('img', { name: 'dot.png' }).count()).toBe(1)
})

test('a hostile answer runs nothing, loads nothing and keeps its place', async () => {
  const home = gateway.origin
  answer = (_question, response) =>
    finish(
      response,
      [
        `<img src="${home}/html.png" onerror="window.hacked = 1"><script>window.hacked = 2</script>`,
        `![tracker](${home}/image.png) <iframe src="${home}/frame"></iframe>`,
        `[click](javascript:window.hacked=3) [data](data:text/html,<script>1</script>) [here](/api/call/node.stop)`,
        `<style>body{display:none;background:url(${home}/style.png)}</style>`,
        '```html\n<script>window.hacked = 4</script>\n```',
        `$\\href{javascript:window.hacked=5}{x}$ $\\includegraphics{${home}/formula.png}$ $\\style{background:red}{y}$ $x^2$`,
        `[ref]: ${home}/ref`,
        `\u202Egnihtemos\u200B`,
        'w'.repeat(3_000),
      ].join('\n\n'),
    )
  await asking('Attack')
  await log().getByText('Image not loaded: tracker').waitFor()
  await expect.poll(() => log().locator('math').count()).toBe(1)
  expect(await log().locator('img, iframe, script, style, object, embed, svg image').count()).toBe(0)
  const links = await log()
    .getByRole('link')
    .evaluateAll((all) => all.map((link) => (link as HTMLAnchorElement).href))
  expect(links.filter((href) => !href.startsWith('http'))).toEqual([])
  expect(links.filter((href) => href.includes('/api/'))).toEqual([])
  expect(await log().getByText('<script>window.hacked = 2</script>', { exact: false }).count()).toBeGreaterThan(0)
  await dashboard.look('chat-hostile')
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false)
  expect(fetched).toEqual([])
})

test.each([
  ['ten thousand nested quotes', '>'.repeat(10_000)],
  ['ten thousand nested lists', '- '.repeat(10_000)],
  ['a paragraph of forty thousand underscores', '_a_'.repeat(20_000)],
  [
    'a table of a million cells',
    `|${'a|'.repeat(1_000)}\n|${'-|'.repeat(1_000)}\n${`|${'b|'.repeat(1_000)}\n`.repeat(1_000)}`,
  ],
  ['brackets without end', '![['.repeat(20_000)],
  ['a formula without end', `$${'{\\frac1'.repeat(120)}$ $\\def\\a{\\a\\a}\\a$`],
])('%s leave the page in working order', async (_name, text) => {
  answer = (_question, response) => finish(response, `${text} END`)
  await asking('Hold on')
  await expect.poll(() => log().innerText({ timeout: 60_000 })).toMatch(/END/)
  answer = (_question, response) => finish(response, 'Still here.')
  await asking('Are you there?')
  await log().getByText('Still here.').waitFor()
  expect(dashboard.complaints).toEqual([])
})

test('the keyboard alone leads from the model’s page through a question to a copy of the answer', async () => {
  await dashboard.goTo(`#/models/${encodeURIComponent('llama3.3:70b')}`)
  await button('Chat').focus()
  await page.keyboard.press('Enter')
  await page.getByRole('combobox', { name: 'Model' }).waitFor()
  await expect.poll(() => page.getByRole('combobox', { name: 'Model' }).inputValue()).toBe('llama3.3:70b')
  const message = page.getByRole('textbox', { name: 'Message' })
  await expect.poll(() => message.evaluate((field) => field === document.activeElement)).toBe(true)
  await page.keyboard.type('Hello')
  await page.keyboard.press('Enter')
  await log().getByText('You said: Hello').waitFor()
})

test('an empty conversation says where messages go and that they are kept nowhere', async () => {
  await page.getByText('they aren’t saved', { exact: false }).waitFor()
  await dashboard.look('chat-empty')
})
