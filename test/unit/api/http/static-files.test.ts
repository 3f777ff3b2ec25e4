import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { encodingFor, listStaticFiles } from '../../../../src-main/api/http/static-files.js'

const TEXT = 'export const words = "the same again and again";\n'.repeat(200)
let folder: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ocf-static-'))
  await mkdir(join(folder, 'assets'))
  await writeFile(join(folder, 'assets', 'index-abc.js'), TEXT)
  await writeFile(join(folder, 'logo.png'), 'packed already')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

test.each([
  ['gzip, deflate, br, zstd', 'br'],
  ['gzip', 'gzip'],
  ['GZIP;q=0.5, br;q=0', 'gzip'],
  ['*', 'br'],
  ['*;q=0, gzip;q=0', undefined],
  ['identity', undefined],
  ['', undefined],
  [undefined, undefined],
] as const)('a client that accepts %s gets files packed with %s', (accepted, encoding) => {
  expect(encodingFor(accepted)).toBe(encoding)
})

test('a file is packed once for each way of packing, and is the same when it is unpacked', async () => {
  const file = (await listStaticFiles(folder)).get('/assets/index-abc.js')!
  const [br, gzip] = [await file.packed('br')!, await file.packed('gzip')!]
  expect(brotliDecompressSync(br).toString()).toBe(TEXT)
  expect(gunzipSync(gzip).toString()).toBe(TEXT)
  expect(br.length).toBeLessThan(TEXT.length / 10)
  expect(await file.packed('br')).toBe(br)
})

test('what is packed already is sent as it is', async () => {
  expect((await listStaticFiles(folder)).get('/logo.png')!.packed('br')).toBeUndefined()
})
