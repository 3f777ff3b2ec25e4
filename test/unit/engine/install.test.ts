import { mkdir, mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { createInstaller, type Installer } from '../../../src-main/engine/install/index.js'
import type { Pin } from '../../../src-main/engine/install/pinned-packages.js'
import { createRecordingLog } from '../../fixtures/recording-log.js'
import { mountSmallDisk, type SmallDisk, whyNoSmallDisk } from '../../fixtures/small-disk.js'
import { until } from '../../fixtures/until.js'
import { entry, pack, pinOf } from './packages.js'

const LIBRARY = pack(entry('package/dist/index.js', 'export {}'), entry('package/dist/index.d.ts', 'declare'))
const BUILD = pack(entry('package/bins/addon.node', 'x'.repeat(200_000)))
const FILES: Readonly<Record<string, Buffer>> = {
  '/node-llama-cpp/-/node-llama-cpp-1.0.0.tgz': LIBRARY,
  '/@node-llama-cpp/linux-x64/-/linux-x64-1.0.0.tgz': BUILD,
}

let dir: string
let server: Server
let asked: { url: string; range: string | undefined }[]
let answer: (request: IncomingMessage, response: ServerResponse) => void
let pins: Pin[]
let installers: Installer[]
/** Called whenever the installer tells of something new. */
let changed: () => void

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'ocf-install-'))
  ;[asked, installers] = [[], []]
  answer = serveFile
  changed = () => undefined
  pins = [pinOf('node-llama-cpp', LIBRARY), pinOf('@node-llama-cpp/linux-x64', BUILD)]
  server = createServer((request, response) => {
    asked.push({ url: request.url ?? '', range: request.headers.range })
    answer(request, response)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
})
afterEach(async () => {
  await Promise.all(installers.map((installer) => installer.stop()))
  server.closeAllConnections()
  server.close()
  await rm(dir, { recursive: true, force: true })
})

function serveFile({ url = '', headers: { range } }: IncomingMessage, response: ServerResponse): void {
  const content = FILES[url]
  const start = Number(/bytes=(\d+)-/.exec(range ?? '')?.[1] ?? 0)
  if (content === undefined) response.writeHead(404).end()
  else response.writeHead(range === undefined ? 200 : 206).end(content.subarray(start))
}

const origin = (): string => `http://127.0.0.1:${(server.address() as AddressInfo).port}`

async function installer(registry = origin()): Promise<Installer> {
  const machine = { platform: 'linux' as const, arch: 'x64', gpus: [] }
  const made = createInstaller(
    { log: createRecordingLog(), changed: () => changed() },
    {
      dir: join(dir, 'engine'),
      machine: () => machine,
      registry: (named = registry) => Promise.resolve(named),
      packages: () => pins,
    },
  )
  installers.push(made)
  await made.start(new AbortController().signal)
  return made
}

async function install(registry?: string): Promise<Installer> {
  const made = await installer(registry)
  made.install('cpu')
  await made.settled()
  return made
}

const names = async (): Promise<string[]> => (await readdir(join(dir, 'engine'))).sort()

test('the engine is fetched, checked, unpacked and found by the next start; then it is removed', async () => {
  const made = await install()
  expect(made.state()).toMatchObject({
    state: 'installed',
    backend: 'cpu',
    problem: null,
    source: new URL(origin()).host,
  })
  const files = (await readdir(join(dir, 'engine', 'program'), { recursive: true })).sort()
  expect(files).toContain('node_modules/node-llama-cpp/dist/index.js')
  expect(files).toContain('node_modules/@node-llama-cpp/linux-x64/bins/addon.node')
  expect(files.some((file) => file.endsWith('.d.ts'))).toBe(false)
  expect(await names()).toEqual(['installed.json', 'program'])

  const next = await installer()
  expect(next.installed()?.library).toMatch(/node-llama-cpp\/dist\/index\.js$/)
  await next.remove()
  expect(next.state()).toMatchObject({ state: 'missing', sizeBytes: null })
  expect(await names()).toEqual([])
})

test('a package whose hash is another one is thrown away, and nothing is installed', async () => {
  answer = (request, response) => {
    if (request.url?.includes('linux-x64') !== true) serveFile(request, response)
    else response.end(Buffer.from(BUILD).fill(0, 5000, 5100))
  }
  const made = await install()
  expect(made.state()).toMatchObject({ state: 'missing' })
  expect(made.state().problem).toBe(
    '@node-llama-cpp/linux-x64 is not what it should be: its hash is another one. Nothing of it was kept.',
  )
  expect(await readdir(join(dir, 'engine', 'downloads'))).toEqual(['node-llama-cpp-1.0.0.tgz'])
})

test('a download that is cut goes on where it ended, at once and in a later try', async () => {
  const cutAt = 60_000
  const part = join(dir, 'engine', 'downloads', '_node-llama-cpp_linux-x64-1.0.0.tgz.part')
  let cuts = 0
  answer = (request, response) => {
    if (request.url?.includes('linux-x64') !== true || cuts >= 4) {
      serveFile(request, response)
      return
    }
    cuts += 1
    const start = Number(/bytes=(\d+)-/.exec(request.headers.range ?? '')?.[1] ?? 0)
    response.writeHead(start === 0 ? 200 : 206, { 'content-length': BUILD.length - start })
    response.write(BUILD.subarray(start, start + cutAt))
    // What has come and was not written yet goes with its connection.
    const isKept = async (): Promise<boolean> => (await stat(part)).size > start
    void until(isKept, { what: 'something of it is kept' }).finally(() => response.socket?.end())
  }
  const made = await install()
  expect(made.state().problem).toMatch(/(?:broke off|can’t be reached).*kept/)
  const { size } = await stat(part)
  expect(size).toBeGreaterThan(0)
  asked = []
  made.install('cpu')
  await made.settled()
  expect(made.state()).toMatchObject({ state: 'installed', problem: null })
  expect(asked.find(({ url }) => url.includes('linux-x64'))?.range).toBe(`bytes=${size}-`)
})

test('offline is said, and a registry without the package as well', async () => {
  const closed = createServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.address() as AddressInfo
  await new Promise((resolve) => closed.close(resolve))
  expect((await install(`http://127.0.0.1:${port}`)).state().problem).toBe(
    `127.0.0.1:${port} can’t be reached. Is this computer online? What has come is kept for the next try.`,
  )
  const made = await installer(`http://127.0.0.1:${port}`)
  // For this time another one.
  made.install('cpu', origin())
  await made.settled()
  expect(made.state()).toMatchObject({ state: 'installed', source: new URL(origin()).host })
  pins = [pinOf('gone', LIBRARY)]
  expect((await install()).state().problem).toBe('The registry has no gone (it answers 404).')
})

test('an answer that is longer than the package is cut off, and called off means nothing is left running', async () => {
  answer = (_request, response) => void response.end(Buffer.concat([BUILD, Buffer.alloc(1_000_000)]))
  pins = [pinOf('@node-llama-cpp/linux-x64', BUILD)]
  expect((await install()).state().problem).toBe('@node-llama-cpp/linux-x64 is longer than it should be.')

  answer = (_request, response) => void response.write(BUILD.subarray(0, 10))
  const made = await installer()
  await made.remove()
  made.install('cpu')
  expect(made.state().state).toBe('installing')
  made.cancel()
  await made.settled()
  expect(made.state()).toMatchObject({ state: 'missing', problem: null })
})

describe('a disk that becomes full', () => {
  const FULL = 'The disk is full. What has come is kept; free some space and try again.'
  let disk: SmallDisk | undefined

  beforeEach(async (context) => {
    const why = whyNoSmallDisk()
    context.skip(why !== undefined, why)
    disk = mountSmallDisk(4096)
    await rm(dir, { recursive: true, force: true })
    dir = join(disk.dir, 'data')
  })
  afterEach(() => disk?.unmount())

  test('in the middle of a download: it is said, nothing half is left, and the rest alone is fetched afterwards', async () => {
    answer = (request, response) => {
      if (request.url?.includes('linux-x64') !== true) serveFile(request, response)
      else {
        response.write(BUILD.subarray(0, 60_000), () => {
          disk!.fill(40_000)
          response.end(BUILD.subarray(60_000))
        })
      }
    }
    const made = await install()
    expect(made.state()).toMatchObject({ state: 'missing', problem: FULL })
    expect(await names()).toEqual(['downloads'])
    const { size } = await stat(join(dir, 'engine', 'downloads', '_node-llama-cpp_linux-x64-1.0.0.tgz.part'))
    expect(size).toBeGreaterThan(0)
    expect(size).toBeLessThan(BUILD.length)
    disk!.free()
    ;[answer, asked] = [serveFile, []]
    made.install('cpu')
    await made.settled()
    expect(made.state()).toMatchObject({ state: 'installed', problem: null })
    expect(asked.filter(({ url }) => url.includes('linux-x64')).map(({ range }) => range)).toEqual([`bytes=${size}-`])
  })

  test('while packages are unpacked: what was unpacked is gone, what was fetched is not fetched again', async () => {
    const made = await installer()
    changed = () => {
      const { doneBytes, totalBytes } = made.state()
      if (totalBytes > 0 && doneBytes === totalBytes) disk!.fill(50_000)
    }
    made.install('cpu')
    await made.settled()
    expect(made.state()).toMatchObject({ state: 'missing', problem: FULL })
    expect(await names()).toEqual(['downloads'])
    changed = () => undefined
    disk!.free()
    asked = []
    made.install('cpu')
    await made.settled()
    expect(made.state()).toMatchObject({ state: 'installed', problem: null })
    expect(asked).toEqual([])
  })

  test('before it begins: it is said how much it takes', async () => {
    disk!.fill(150_000)
    const made = await install()
    expect(made.state()).toMatchObject({ state: 'missing' })
    expect(made.state().problem).toMatch(/^The disk is too full: the engine needs \d+ MB while it is installed\.$/)
    disk!.free()
    made.install('cpu')
    await made.settled()
    expect(made.state()).toMatchObject({ state: 'installed', problem: null })
  })
})

test('the first package that fails stops the others: nothing is asked for or written afterwards', async () => {
  const slow = new Map<string, ServerResponse>()
  answer = (request, response) => {
    if (request.url?.includes('bad') === true) response.end(Buffer.alloc(LIBRARY.length))
    else slow.set(request.url ?? '', response.writeHead(200))
  }
  pins = ['bad', 'one', 'two', 'three', 'four', 'five'].map((name) => pinOf(name, LIBRARY))
  const made = await installer()
  made.install('cpu')
  const areLeft = (): boolean => slow.size > 0 && [...slow.values()].every(({ destroyed }) => destroyed)
  await until(areLeft, { what: 'the others are given up' })
  await made.settled()
  expect(made.state().problem).toContain('its hash is another one')
  expect(slow.size).toBeLessThanOrEqual(3)
  expect(await names()).toEqual(['downloads'])
})

test('what a start that was ended left half in place is taken away, and what is whole stays', async () => {
  await install()
  const engine = join(dir, 'engine')
  await mkdir(join(engine, 'program.draft'))
  expect((await installer()).installed()).toBeDefined()
  expect(await names()).toEqual(['installed.json', 'program'])
  await rm(join(engine, 'installed.json'))
  expect((await installer()).installed()).toBeUndefined()
  expect(await names()).toEqual([])
})

test.each([
  ['leads out of it', pack(entry('package/../../evil.js', 'x')), 'A package holds a path that leads out of it.'],
  ['is a link', pack(entry('package/link', '', '2')), 'A package holds something other than files.'],
  ['is cut short', gzipSync(entry('package/a.js', 'y'.repeat(2000)).subarray(0, 900)), 'A package ends too early.'],
])('a package of which a file %s is not unpacked', async (_what, content, problem) => {
  answer = (_request, response) => void response.end(content)
  pins = [pinOf('hostile', content)]
  expect((await install()).state()).toMatchObject({ state: 'missing', problem })
  expect(await names()).not.toContain('program.draft')
  await expect(readFile(join(dir, 'evil.js'))).rejects.toThrow('ENOENT')
})
