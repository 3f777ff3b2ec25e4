import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server } from 'node:net'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { lendChromium, noChromium, type Browser } from '../fixtures/chromium/launch.js'
import { startTestServer, type TestServer } from '../fixtures/http-server.js'
import { readBody, startModelServer, type ModelServerFixture } from '../fixtures/model-servers/index.js'
import { startNodeInProcess, type NodeInProcess } from '../fixtures/node-in-process.js'
import { untilListed } from '../fixtures/node-pair.js'

/** What web pages in a real browser can do with a gateway on the same machine. */
let node: NodeInProcess
let server: ModelServerFixture
let pages: TestServer
let browser: Browser | undefined
let page: Page
let wire: Server
/** Where the browser finds the gateway. */
let gateway: string
/** Status of every answer of the gateway to the browser, by method, path and query of its request. */
const statuses = new Map<string, number>()

/** Listens in on what a browser and the gateway say to each other: no page and no test library hears of all of it. */
async function startWire(to: number): Promise<Server> {
  const server = createServer((client) => {
    const asked: string[] = []
    const upstream = connect(to, '127.0.0.1')
    client.on('data', (bytes: Buffer) => {
      for (const [, line = ''] of bytes.toString('latin1').matchAll(/^([A-Z]+ \S+) HTTP\/1\.1\r$/gm)) asked.push(line)
    })
    upstream.on('data', (bytes: Buffer) => {
      for (const [, status] of bytes.toString('latin1').matchAll(/^HTTP\/1\.1 (\d+)/gm)) {
        statuses.set(asked.shift() ?? '', Number(status))
      }
    })
    for (const [from, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      from.on('error', () => other.destroy())
      from.pipe(other)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

beforeAll(async () => {
  if (noChromium !== undefined) return
  server = await startModelServer({
    async answer(request, response) {
      await readBody(request)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"answered":true}')
    },
  })
  pages = await startTestServer((request, response) => {
    response.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>a page</title><body></body>')
  })
  const flags = { mode: 'standalone', 'service.name': 'llm', 'service.port': String(server.port) }
  node = await startNodeInProcess({ flags })
  await untilListed(node.gateway, 'test-model')
  wire = await startWire(Number(new URL(node.gateway).port))
  gateway = `http://127.0.0.1:${gatewayPort()}`
  browser = await lendChromium()
})

afterAll(async () => {
  if (noChromium !== undefined) return
  await browser?.close()
  wire.close()
  await node.stop()
  await pages.close()
  await server.close()
})

beforeEach(async (context) => {
  context.skip(noChromium !== undefined, noChromium)
  statuses.clear()
  page = await browser!.context.newPage()
})

afterEach(async () => {
  if (noChromium !== undefined) return
  await page.close()
  await node.control.call('settings.set', { name: 'cors-origins', value: null })
})

const gatewayPort = (): number => (wire.address() as AddressInfo).port
const restrictTo = (value: string) => node.control.call('settings.set', { name: 'cors-origins', value })

/** Every way a page has to make its browser ask for a URL. */
const WAYS = ['cors', 'no-cors', 'json', 'image', 'script', 'style', 'frame', 'form', 'beacon', 'socket'] as const
type Way = (typeof WAYS)[number]

/** Asks for `url` in that way, from inside the page; resolves with what the page was able to read. */
async function askFrom(from: Page, way: Way, url: string): Promise<string> {
  return await from.evaluate(
    async ([how, target]) => {
      const body = JSON.stringify({ model: 'test-model', messages: [{ role: 'user', content: 'Hi' }] })
      const loaded = (element: HTMLElement): Promise<string> =>
        new Promise((resolve) => {
          element.addEventListener('load', () => resolve('loaded'))
          element.addEventListener('error', () => resolve('failed'))
          document.body.append(element)
        })
      const read = async (init: RequestInit): Promise<string> => {
        try {
          return await (await fetch(target, init)).text()
        } catch {
          return 'failed'
        }
      }
      switch (how) {
        case 'cors':
          return await read({})
        case 'no-cors':
          return await read({ method: 'POST', mode: 'no-cors', body })
        case 'json':
          return await read({ method: 'POST', headers: { 'content-type': 'application/json' }, body })
        case 'image':
          return await loaded(Object.assign(new Image(), { src: target }))
        case 'script':
          return await loaded(Object.assign(document.createElement('script'), { src: target }))
        case 'style':
          return await loaded(Object.assign(document.createElement('link'), { rel: 'stylesheet', href: target }))
        case 'frame':
          return await loaded(Object.assign(document.createElement('iframe'), { src: target }))
        case 'form': {
          const frame = Object.assign(document.createElement('iframe'), { name: 'answers' })
          const form = Object.assign(document.createElement('form'), { method: 'POST', action: target })
          Object.assign(form, { target: 'answers', enctype: 'text/plain' })
          document.body.append(frame, form)
          form.submit()
          return 'sent'
        }
        case 'beacon':
          return String(navigator.sendBeacon(target, body))
        default:
          return await new Promise((resolve) => {
            const socket = new WebSocket(target.replace('http', 'ws'))
            socket.onopen = () => resolve('open')
            socket.onerror = () => resolve('failed')
          })
      }
    },
    [way, url] as const,
  )
}

/** The method with which each way asks first. */
const METHODS: Readonly<Record<Way, string>> = {
  ...{ cors: 'GET', image: 'GET', script: 'GET', style: 'GET', frame: 'GET', socket: 'GET' },
  ...{ 'no-cors': 'POST', form: 'POST', beacon: 'POST', json: 'OPTIONS' },
}

/** Asks in every way; resolves when the gateway has refused them all. */
async function refusedInEveryWay(path: string): Promise<void> {
  const refused = async (way: Way): Promise<void> => {
    const got = await askFrom(page, way, `${gateway}${path}?way=${way}`)
    expect(got, way).not.toMatch(/answered|open|peer|Open Compute|ocf_/)
    await expect.poll(() => statuses.get(`${METHODS[way]} ${path}?way=${way}`), { message: way }).toBe(403)
  }
  // As a page would that tries everything at once.
  await Promise.all(WAYS.map(refused))
}

const CLOSED = ['/v1/_service/llm/shutdown', '/v1/service/llm/props', '/v1/dnt/table', '/metrics', '/v1/health', '/']

/** Where pages of others are: another site, and another port of the gateway's own site. */
const FOREIGN = { 'another site': 'page.example', 'another port of this machine': '127.0.0.1' }

describe.each(Object.entries(FOREIGN))('a page of %s', (_name, host) => {
  const origin = (): string => `http://${host}:${pages.port}`

  test.each(CLOSED)('reads nothing of %s and sets nothing in motion there', async (path) => {
    const before = server.requests.length
    await page.goto(origin())
    await refusedInEveryWay(path)
    expect(server.requests.length).toBe(before)
    for (const frame of page.frames().slice(1)) expect(await frame.content()).not.toContain('Open Compute')
  })

  test('runs a model, as cors-origins lets any page by default', async () => {
    await page.goto(origin())
    expect(await askFrom(page, 'json', `${gateway}/v1/chat/completions`)).toBe('{"answered":true}')
    expect(await askFrom(page, 'json', `${gateway}/v1/service/llm/v1/chat/completions`)).toBe('{"answered":true}')
    expect(await askFrom(page, 'cors', `${gateway}/v1/models`)).toContain('test-model')
    expect(Object.keys(server.requests.at(-1)?.headers ?? {})).not.toContain('origin')
  })

  test('runs no model in any way where cors-origins names others, and does where it names it', async () => {
    await restrictTo('https://mine.example')
    await page.goto(origin())
    const before = server.requests.length
    const path = '/v1/chat/completions'
    await refusedInEveryWay(path)
    expect(await askFrom(page, 'socket', `${gateway}/v1/realtime?model=test-model`)).toBe('failed')
    expect(server.requests.length).toBe(before)
    await restrictTo(origin())
    expect(await askFrom(page, 'json', `${gateway}${path}`)).toBe('{"answered":true}')
  })
})

test('a page whose own name leads to the gateway reads nothing of it', async () => {
  const rebound = `http://rebound.example:${gatewayPort()}`
  await page.goto(`${rebound}/`)
  expect(statuses.get('GET /')).toBe(403)
  for (const path of CLOSED) expect(await askFrom(page, 'cors', `${rebound}${path}`), path).toContain('forbidden_host')
  expect(await askFrom(page, 'json', `${rebound}/v1/chat/completions`)).toContain('forbidden_host')
})

test('a link of a page opens the home page, and the page keeps no hold of its window', async () => {
  await page.goto(`http://page.example:${pages.port}`)
  const opened = browser!.context.waitForEvent('page')
  await page.evaluate((url) => void Object.assign(window, { opened: window.open(url) }), `${gateway}/`)
  const home = await opened
  await expect.poll(() => home.content()).toContain('Open Compute gateway')
  expect(await home.evaluate(() => window.opener === null)).toBe(true)
  await expect.poll(() => page.evaluate(() => (window as unknown as { opened: Window }).opened.closed)).toBe(true)
  await home.close()
})

test('the documentation may try out every route of its gateway', async () => {
  await page.goto(`${gateway}/docs`)
  expect(await askFrom(page, 'cors', '/v1/health')).toContain(node.peerId)
  expect(await askFrom(page, 'json', '/v1/chat/completions')).toBe('{"answered":true}')
  expect(await askFrom(page, 'json', '/v1/_service/llm/props')).toBe('{"answered":true}')
})
