import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { createServer, type RequestListener } from 'node:http'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import {
  createBootstrapper,
  type Bootstrapper,
  type BootstrapperNeeds,
  type BootstrapperOptions,
} from '../../src-main/p2p/bootstrap/index.js'
import type { NameLookup } from '../../src-main/p2p/bootstrap/resolve-dnsaddr.js'
import type { Host } from '../../src-main/p2p/index.js'
import { addressesOver, createHosts, until, type HostFactory } from '../fixtures/hosts.js'
import { createRecordingLog } from '../fixtures/recording-log.js'

let hosts: HostFactory
beforeEach(() => {
  hosts = createHosts()
})
afterEach(() => hosts.close())

async function bootstrap(
  host: Host,
  sources: string[],
  { mode = 'node', rememberFile, ...needs }: Partial<BootstrapperOptions> & Partial<BootstrapperNeeds> = {},
): Promise<Bootstrapper> {
  const bootstrapper = createBootstrapper(
    { host, log: createRecordingLog(), ...needs },
    {
      mode,
      sources: [{ setting: 'bootstrap.addr', values: sources }],
      rememberFile: rememberFile ?? join(await hosts.folder(), 'remembered-peers.json'),
    },
  )
  await bootstrapper.start(new AbortController().signal)
  hosts.defer(() => bootstrapper.stop())
  return bootstrapper
}

/** An HTTP server on 127.0.0.1; its URL. */
async function webServer(listener: RequestListener, port = 0): Promise<string> {
  const server = createServer(listener).listen(port, '127.0.0.1')
  await once(server, 'listening')
  hosts.defer(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as { port: number }).port}/v1/dnt/bootstraps`
}

/** A clock that counts the rounds and lets them follow each other at once, up to `rounds`. */
function countedRounds(rounds: number) {
  const slept: number[] = []
  return {
    slept,
    now: () => 0,
    random: () => 0,
    sleep(ms: number, signal: AbortSignal): Promise<void> {
      slept.push(ms)
      if (slept.length < rounds) return Promise.resolve()
      return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }))
    },
  }
}

const bootstrapsOf =
  (host: Host): RequestListener =>
  (_request, response) =>
    response.end(JSON.stringify({ bootstraps: host.multiaddrs() }))

test('a node whose only bootstrap is up is connected in its first round, over its HTTP source', async () => {
  const a = await hosts.host()
  const b = await hosts.host()
  const url = await webServer(bootstrapsOf(a))
  const bootstrapper = await bootstrap(b, [url], { clock: countedRounds(1) })
  await until('B is connected to A', () => b.isConnected(a.peerId))
  expect(bootstrapper.status()).toMatchObject([{ source: url, setting: 'bootstrap.addr', state: 'ok', addresses: 3 }])
  await until('A is kept', async () => {
    // A connection is open before the peer store knows of it.
    if (!(await b.libp2p.peerStore.has(a.libp2p.peerId))) return false
    const peer = await b.libp2p.peerStore.get(a.libp2p.peerId)
    return peer.tags.has('keep-alive-ocf-bootstrap')
  })
})

test('an address without a peer id is enough', async () => {
  const a = await hosts.host()
  const b = await hosts.host()
  await bootstrap(b, [addressesOver(a, 'tcp')[0]!.replace(/\/p2p\/.*/, '')], { clock: countedRounds(1) })
  await until('B is connected to A', () => b.isConnected(a.peerId))
})

test('in the mode local the nodes of this machine are asked for in each round without a peer', async () => {
  const a = await hosts.host()
  const b = await hosts.host()
  let rounds = 0
  const addresses = (): Promise<string[]> => Promise.resolve((rounds += 1) < 3 ? [] : addressesOver(a, 'tcp'))
  await bootstrap(b, [], { mode: 'local', machineNodes: { addresses }, clock: countedRounds(10) })
  await until('B is connected to A', () => b.isConnected(a.peerId))
})

test('three hosts bootstrapped from one find each other', async () => {
  const a = await hosts.host()
  const others = await Promise.all([hosts.host(), hosts.host(), hosts.host()])
  await Promise.all(others.map((host) => bootstrap(host, [addressesOver(a, 'tcp')[0]!])))
  const all = [a, ...others]
  await until(
    'each is connected to each',
    () => all.every((one) => all.every((other) => one === other || one.isConnected(other.peerId))),
    30_000,
  )
})

test('a source that hangs, one of HTML, one of 10 MB and one that refuses do no harm to a good one', async () => {
  const a = await hosts.host()
  const b = await hosts.host()
  const log = createRecordingLog()
  const hangs = await webServer(() => undefined)
  const html = await webServer((_request, response) => response.end('<html>hello</html>'))
  let written = 0
  const huge = await webServer((_request, response) => {
    const block = 'x'.repeat(64 * 1024)
    const write = (): void => {
      while (!response.destroyed && written < 10 * 1024 * 1024) {
        written += block.length
        if (!response.write(block)) return
      }
      response.end()
    }
    response.on('drain', write)
    write()
  })
  const redirects = await webServer((_request, response) => response.writeHead(302, { location: html }).end())
  const refuses = 'http://127.0.0.1:1/'
  const notAList = await webServer((_request, response) => response.end('{"bootstraps":{}}'))
  const good = await webServer((_request, response) =>
    response.end(JSON.stringify({ bootstraps: ['nonsense', 7, ...a.multiaddrs()] })),
  )
  const sources = [hangs, html, huge, redirects, refuses, notAList, 'not-a-source', good]
  const bootstrapper = await bootstrap(b, sources, { log })
  await until('B is connected to A', () => b.isConnected(a.peerId))
  await until('the hanging one is given up', () => bootstrapper.status()[0]!.state === 'failed')
  expect(bootstrapper.status().map(({ source, state }) => [source, state])).toEqual([
    [hangs, 'failed'],
    [html, 'failed'],
    [huge, 'failed'],
    [redirects, 'failed'],
    [refuses, 'failed'],
    [notAList, 'failed'],
    [good, 'ok'],
    ['not-a-source', 'bad'],
  ])
  expect(bootstrapper.status().find(({ source }) => source === good)?.reason).toMatch(/^2 /)
  expect(written).toBeLessThan(10 * 1024 * 1024)
  expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(7)
})

test('a source that is down at first is asked again soon, and told about once', async () => {
  const a = await hosts.host()
  const b = await hosts.host()
  const log = createRecordingLog()
  let asked = 0
  const url = await webServer((request, response) => {
    asked += 1
    if (asked <= 2) response.writeHead(500).end()
    else bootstrapsOf(a)(request, response)
  })
  const slept: number[] = []
  const clock = {
    now: () => 0,
    random: () => 0,
    sleep: (ms: number) => {
      slept.push(ms)
      return Promise.resolve()
    },
  }
  await bootstrap(b, [url], { log, clock })
  await until('B is connected to A', () => b.isConnected(a.peerId))
  expect(slept).toEqual([1000, 2000])
  expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(1)
})

test('a node that lost its last peer looks for peers again at once', async () => {
  const a = await hosts.host()
  const c = await hosts.host()
  const b = await hosts.host()
  let answer = bootstrapsOf(a)
  const url = await webServer((request, response) => answer(request, response))
  const rememberFile = join(await hosts.folder(), 'remembered-peers.json')
  // Whoever waits before the next round waits for ever.
  await bootstrap(b, [url], { clock: countedRounds(1), rememberFile })
  await until('the round that found A is over', () => existsSync(rememberFile))
  expect(b.isConnected(a.peerId)).toBe(true)
  answer = bootstrapsOf(c)
  await a.stop()
  await until('B is connected to C', () => b.isConnected(c.peerId))
})

test('a peer that drops every connection is not dialled in a tight loop', async () => {
  const a = await hosts.host()
  let connections = 0
  a.libp2p.addEventListener('connection:open', (event) => {
    connections += 1
    event.detail.abort(new Error('go away'))
  })
  const b = await hosts.host()
  const slept = Promise.withResolvers<number>()
  const clock = {
    now: () => 0,
    random: () => 0,
    sleep: (ms: number, signal: AbortSignal) => {
      slept.resolve(ms)
      return new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve()))
    },
  }
  await bootstrap(b, [addressesOver(a, 'tcp')[0]!.replace(/\/p2p\/.*/, '')], { clock })
  expect(await slept.promise).toBe(1000)
  expect(connections).toBeLessThanOrEqual(3)
})

test('good peers are remembered across a restart and are enough without any source', async () => {
  const a = await hosts.host()
  const folder = await hosts.folder()
  const rememberFile = join(folder, 'remembered-peers.json')
  const b = await hosts.host({ dir: folder })
  const first = await bootstrap(b, [addressesOver(a, 'tcp')[0]!], { rememberFile })
  await until('B is connected to A', () => b.isConnected(a.peerId))
  await first.stop()
  await b.stop()
  expect(JSON.parse(await readFile(rememberFile, 'utf8'))).toMatchObject({ peers: [{ id: a.peerId }] })
  // Another identity and an empty peer store: only the file can tell.
  const other = await hosts.host()
  await bootstrap(other, [], { rememberFile })
  await until('the peer of the last run is found', () => other.isConnected(a.peerId))
})

test('a standalone node asks no one, not even peers it knows', async () => {
  let asked = 0
  const url = await webServer((_request, response) => {
    asked += 1
    response.end('{"bootstraps":[]}')
  })
  const b = await hosts.host({ mode: 'standalone' })
  const bootstrapper = await bootstrap(b, [url], { mode: 'standalone' })
  await bootstrapper.stop()
  expect(asked).toBe(0)
  expect(bootstrapper.status()).toEqual([])
})

test('a source that tells a node its own addresses does not make it dial itself', async () => {
  const a = await hosts.host()
  const log = createRecordingLog()
  const bare = addressesOver(a, 'tcp')[0]!.replace(/\/p2p\/.*/, '')
  const bootstrapper = await bootstrap(a, [await webServer(bootstrapsOf(a)), bare], { log })
  await until('all sources are asked', () => bootstrapper.status().every(({ state }) => state === 'ok'))
  await bootstrapper.stop()
  expect(a.connections()).toEqual([])
  expect(log.lines.filter(({ message }) => message.includes('could not be reached'))).toEqual([])
})

/** Answers of another peer id than the address asks for. */
const wrongly = (address: string): string => address.replace(/12D3KooW\w+$/, STRANGER)
const STRANGER = '12D3KooWEzksHRbD1rRhLWC7v7DZrYEQp9S24jvdLTgomDYpLAjD'

test('an address at which another peer answers is told once with its source, waits longer each time, and is not remembered', async () => {
  const a = await hosts.host()
  const folder = await hosts.folder()
  const rememberFile = join(folder, 'remembered-peers.json')
  for (const transport of ['tcp', 'ws', 'quic'] as const) {
    const b = await hosts.host()
    const log = createRecordingLog()
    const clock = countedRounds(5)
    const wrong = wrongly(addressesOver(a, transport)[0]!)
    const bootstrapper = await bootstrap(b, [wrong], { log, clock, rememberFile })
    await until('five rounds were made', () => clock.slept.length === 5)
    expect(clock.slept).toEqual([1_000, 2_000, 4_000, 5_000, 10_000])
    expect(bootstrapper.status()).toMatchObject([
      { source: wrong, setting: 'bootstrap.addr', state: 'failed', reason: 'another peer answers there' },
    ])
    expect(log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields)).toEqual([
      { source: wrong, setting: 'bootstrap.addr', reason: 'another peer answers there' },
    ])
    await bootstrapper.stop()
    await expect(readFile(rememberFile, 'utf8')).rejects.toThrow()
    expect(b.connections()).toEqual([])
  }
})

test('a source that names another peer at an address is told so, and its good addresses are used', async () => {
  const [a, c, b] = await Promise.all([hosts.host(), hosts.host(), hosts.host()])
  const log = createRecordingLog()
  const wrong = wrongly(addressesOver(a, 'tcp')[0]!)
  const bootstraps = [wrong, wrong, ...c.multiaddrs(), ...c.multiaddrs(), ...b.multiaddrs()]
  const url = await webServer((_request, response) => response.end(JSON.stringify({ bootstraps })))
  const bootstrapper = await bootstrap(b, [url], { log })
  await until('B is connected to C', () => b.isConnected(c.peerId))
  await until('the wrong address was tried', () => bootstrapper.status()[0]!.reason !== undefined)
  expect(bootstrapper.status()).toMatchObject([
    { state: 'ok', addresses: 7, reason: `another peer answers there: ${wrong}` },
  ])
  expect(log.lines.filter(({ level }) => level === 'warn').map(({ fields }) => fields)).toEqual([
    expect.objectContaining({ source: url, setting: 'bootstrap.addr' }),
  ])
})

test('a peer that was good and has another identity by now is forgotten', async () => {
  const a = await hosts.host()
  const rememberFile = join(await hosts.folder(), 'remembered-peers.json')
  const stale = wrongly(addressesOver(a, 'tcp')[0]!)
  await writeFile(rememberFile, JSON.stringify({ peers: [{ id: STRANGER, addresses: [stale] }] }))
  const b = await hosts.host()
  const clock = countedRounds(1)
  const bootstrapper = await bootstrap(b, [], { rememberFile, clock })
  await until('a round was made', () => clock.slept.length === 1)
  await bootstrapper.stop()
  expect(JSON.parse(await readFile(rememberFile, 'utf8'))).toEqual({ peers: [] })
})

test('a source that answers, but tells only of peers that do not, is told so', async () => {
  const b = await hosts.host()
  const log = createRecordingLog()
  const clock = countedRounds(3)
  const url = await webServer((_request, response) => response.end('{"bootstraps":["/ip4/127.0.0.1/tcp/1"]}'))
  const silent = '/ip4/127.0.0.1/tcp/2'
  const bootstrapper = await bootstrap(b, [url, silent], { log, clock })
  await until('three rounds were made', () => clock.slept.length === 3)
  expect(bootstrapper.status()).toMatchObject([
    { source: url, state: 'failed', addresses: 1, reason: expect.stringContaining('none of the peers') as string },
    { source: silent, state: 'failed', reason: 'nothing listens there (ECONNREFUSED)' },
  ])
  expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(2)
})

test('a source whose name is not known does no harm to the others, and is told once', async () => {
  const a = await hosts.host()
  const b = await hosts.host()
  const log = createRecordingLog()
  const notKnown = Object.assign(new Error('getaddrinfo ENOTFOUND'), { code: 'ENOTFOUND' })
  const names: NameLookup = {
    lookup: (_name, _options, callback) => callback(notKnown, ''),
    resolveTxt: () => Promise.reject(notKnown),
  }
  const sources = ['http://nowhere.invalid:8092/', 'dnsaddr://nowhere.invalid', addressesOver(a, 'tcp')[0]!]
  const bootstrapper = await bootstrap(b, sources, { log, names })
  await until('B is connected to A', () => b.isConnected(a.peerId))
  await until('all have their result', () => bootstrapper.status().every(({ state }) => state !== 'waiting'))
  expect(bootstrapper.status().map(({ state }) => state)).toEqual(['failed', 'failed', 'ok'])
  expect(log.lines.filter(({ level }) => level === 'warn')).toHaveLength(2)
})

test('stopping in the middle of an attempt does not wait for its end', async () => {
  const b = await hosts.host()
  let asked = false
  const url = await webServer(() => (asked = true))
  const bootstrapper = await bootstrap(b, [url])
  await until('the source is asked', () => asked)
  const before = Date.now()
  await Promise.all([bootstrapper.stop(), bootstrapper.stop()])
  await b.stop()
  // The attempt itself may take five seconds.
  expect(Date.now() - before).toBeLessThan(4000)
})

test('sources can be replaced while the node runs, and the new ones are asked at once', async () => {
  const a = await hosts.host()
  const b = await hosts.host()
  const clock = {
    now: () => 0,
    random: () => 0,
    sleep: (_ms: number, signal: AbortSignal) =>
      new Promise<void>((resolve) => signal.addEventListener('abort', () => resolve(), { once: true })),
  }
  const bootstrapper = await bootstrap(b, ['http://127.0.0.1:1/'], { clock })
  await until('the old source failed', () => bootstrapper.status()[0]!.state === 'failed')
  let told = 0
  bootstrapper.subscribe(() => (told += 1))
  bootstrapper.replaceSources([{ setting: 'bootstrap.addr', values: [addressesOver(a, 'tcp')[0]!, 'nonsense'] }])
  expect(told).toBe(1)
  await until('B is connected to A', () => b.isConnected(a.peerId))
  await until('it has its result', () => bootstrapper.status()[0]!.state !== 'waiting')
  expect(bootstrapper.status().map(({ state }) => state)).toEqual(['ok', 'bad'])
})

test('sources that come while peers are connected are asked at once too', async () => {
  const [a, c, b] = await Promise.all([hosts.host(), hosts.host(), hosts.host()])
  const bootstrapper = await bootstrap(b, [addressesOver(a, 'tcp')[0]!])
  await until('B is connected to A', () => b.isConnected(a.peerId))
  bootstrapper.replaceSources([
    { setting: 'bootstrap.sources', values: [await webServer(bootstrapsOf(c)), 'http://127.0.0.1:1/'] },
    { setting: 'bootstrap.addr', values: [addressesOver(a, 'ws')[0]!] },
  ])
  await until('B is connected to C', () => b.isConnected(c.peerId))
  await until('all have their result', () => bootstrapper.status().every(({ state }) => state !== 'waiting'))
  expect(bootstrapper.status().map(({ setting, state }) => [setting, state])).toEqual([
    ['bootstrap.sources', 'ok'],
    ['bootstrap.sources', 'failed'],
    ['bootstrap.addr', 'ok'],
  ])
})
