import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { get, type IncomingHttpHeaders } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createFakeNode, type FakeNode } from './fake-node.js'
import { startServer } from './transports.js'

const SCRIPT = 'export const words = "the same again and again";\n'.repeat(200)
let rendererDir: string
let node: FakeNode
let url: string
let stop: () => Promise<void>

beforeAll(async () => {
  rendererDir = await mkdtemp(join(tmpdir(), 'ocf-files-'))
  await mkdir(join(rendererDir, 'assets'))
  await writeFile(join(rendererDir, 'index.html'), '<!doctype html><title>dashboard</title>')
  await writeFile(join(rendererDir, 'assets', 'index-abc.js'), SCRIPT)
  node = createFakeNode()
  const { server, close } = await startServer(node, { rendererDir })
  ;[url, stop] = [server.url, close]
})
afterAll(async () => {
  await stop()
  await rm(rendererDir, { recursive: true, force: true })
})

/** The bytes as they came: nothing unpacks them on the way. */
function fetchRaw(
  path: string,
  encodings?: string,
  method = 'GET',
): Promise<{ headers: IncomingHttpHeaders; body: Buffer }> {
  return new Promise((resolve, reject) => {
    const headers = encodings === undefined ? {} : { 'Accept-Encoding': encodings }
    const request = get(`${url}${path}`, { method, headers }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ headers: response.headers, body: Buffer.concat(chunks) }))
    })
    request.on('error', reject)
  })
}

test('files of the dashboard come packed as the browser takes them, and say so to caches', async () => {
  const br = await fetchRaw('/assets/index-abc.js', 'gzip, deflate, br, zstd')
  expect(br.headers).toMatchObject({
    ...{ 'content-encoding': 'br', vary: 'Accept-Encoding', 'content-type': 'text/javascript; charset=utf-8' },
    ...{ 'cache-control': 'public, max-age=31536000, immutable', 'content-length': String(br.body.length) },
  })
  expect(br.body.length).toBeLessThan(SCRIPT.length / 10)
  expect(brotliDecompressSync(br.body).toString()).toBe(SCRIPT)
  const gzip = await fetchRaw('/assets/index-abc.js', 'gzip')
  expect(gzip.headers['content-encoding']).toBe('gzip')
  expect(gunzipSync(gzip.body).toString()).toBe(SCRIPT)
  const page = await fetchRaw('/', 'br')
  expect(brotliDecompressSync(page.body).toString()).toContain('dashboard')
})

test('a client that asks for no packing gets the file itself', async () => {
  for (const encodings of [undefined, 'identity', 'br;q=0, gzip;q=0']) {
    const { headers, body } = await fetchRaw('/assets/index-abc.js', encodings)
    expect(headers['content-encoding'], encodings).toBeUndefined()
    expect(headers.vary).toBe('Accept-Encoding')
    expect(body.toString()).toBe(SCRIPT)
  }
})

test('HEAD tells the size of what GET would send', async () => {
  const { headers, body } = await fetchRaw('/assets/index-abc.js', 'br', 'HEAD')
  expect(body).toHaveLength(0)
  expect(Number(headers['content-length'])).toBe((await fetchRaw('/assets/index-abc.js', 'br')).body.length)
})
