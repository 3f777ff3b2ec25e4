import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openDataFolder } from '../../../src-main/base/data-folder.js'
import { runFixture, type TypeScriptChild } from '../../fixtures/typescript-child.js'

let dir: string
const children: TypeScriptChild[] = []

beforeEach(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'ocf-test-')), 'data')
})
afterEach(async () => {
  for (const child of children.splice(0)) {
    child.process.kill('SIGKILL')
    await child.exit
  }
  await rm(join(dir, '..'), { recursive: true, force: true })
})

/** A process that is ready to open the folder when `open()` is called. */
async function holder(): Promise<{ child: TypeScriptChild; open: () => Promise<string> }> {
  const child = runFixture('folder-holder.ts', [dir])
  children.push(child)
  expect(await child.line()).toBe('ready')
  return {
    child,
    open() {
      child.process.stdin?.write('go\n')
      return child.line()
    },
  }
}

test('a missing folder is created for its owner alone and marked with the format', async () => {
  const folder = await openDataFolder(dir)
  expect((await stat(dir)).mode & 0o777).toBe(0o700)
  expect(JSON.parse(await readFile(folder.path('ocf-data.json'), 'utf8'))).toEqual({ format: 1 })
  expect(folder.path('identity.key')).toBe(join(dir, 'identity.key'))
  await folder.close()
})

test('a folder is opened again after it was closed, and closing twice is one close', async () => {
  const folder = await openDataFolder(dir)
  await writeFile(folder.path('identity.key'), 'kept')
  await Promise.all([folder.close(), folder.close()])
  const again = await openDataFolder(dir)
  expect(await readFile(again.path('identity.key'), 'utf8')).toBe('kept')
  await again.close()
})

test('a folder of someone else is refused and left as it is', async () => {
  await mkdir(dir)
  await writeFile(join(dir, 'thesis.txt'), 'years of work')
  await expect(openDataFolder(dir)).rejects.toMatchObject({
    code: 'data_dir_foreign',
    message: expect.stringContaining(dir),
  })
  expect(await readdir(dir)).toEqual(['thesis.txt'])
})

test('a folder of a newer format is refused', async () => {
  await mkdir(dir)
  await writeFile(join(dir, 'ocf-data.json'), '{"format":2}')
  await expect(openDataFolder(dir)).rejects.toMatchObject({
    code: 'data_dir_foreign',
    message: expect.stringContaining('newer version'),
  })
})

test.each(['', 'null', '{"format":"1"}', '{"format":0}', '[1]'])('a marker that says %j is refused', async (marker) => {
  await mkdir(dir)
  await writeFile(join(dir, 'ocf-data.json'), marker)
  await expect(openDataFolder(dir)).rejects.toMatchObject({ code: 'data_dir_foreign' })
})

test('a path that cannot be a folder is unusable', async () => {
  await writeFile(dir, 'a file')
  for (const path of [dir, join(dir, 'below')]) {
    await expect(openDataFolder(path)).rejects.toMatchObject({
      code: 'data_dir_unusable',
      message: expect.stringContaining(path),
    })
  }
})

test('cleanslate removes what was learnt from the network and keeps the identity', async () => {
  const folder = await openDataFolder(dir)
  for (const name of ['table', 'peers']) {
    await mkdir(folder.path(name))
    await writeFile(join(folder.path(name), 'entry'), 'x')
  }
  await writeFile(folder.path('identity.key'), 'kept')
  await writeFile(folder.path('remembered-peers.json'), '{}')
  await folder.close()
  const clean = await openDataFolder(dir, { cleanslate: true })
  const names = await readdir(dir)
  expect(names).toContain('identity.key')
  expect(names.filter((name) => ['table', 'peers', 'remembered-peers.json'].includes(name))).toEqual([])
  await clean.close()
})

test('a folder that another process holds is refused with its process id, also within one process', async () => {
  const { child, open } = await holder()
  expect(await open()).toBe('open')
  await expect(openDataFolder(dir, { cleanslate: true })).rejects.toMatchObject({
    code: 'data_dir_locked',
    message: `${dir} is used by another running node (pid ${child.process.pid}). Stop it or pass another --data-dir.`,
  })
  child.process.kill('SIGKILL')
  await child.exit
  const folder = await openDataFolder(dir)
  await expect(openDataFolder(dir)).rejects.toMatchObject({ code: 'data_dir_locked' })
  await folder.close()
})

test('the lock ends with its owner even when that is killed, whoever has its process id now', async () => {
  const { child, open } = await holder()
  expect(await open()).toBe('open')
  child.process.kill('SIGKILL')
  await child.exit
  // The file of the owner that was killed names a process that lives: this one.
  await writeFile(join(dir, 'lock-owner.json'), JSON.stringify({ pid: process.pid }))
  const folder = await openDataFolder(dir)
  await folder.close()
})

test('of several processes that race for the folder of a killed one exactly one wins', async () => {
  const first = await holder()
  expect(await first.open()).toBe('open')
  const racers = await Promise.all(Array.from({ length: 4 }, () => holder()))
  first.child.process.kill('SIGKILL')
  await first.child.exit
  const results = await Promise.all(racers.map(({ open }) => open()))
  expect(results.sort()).toEqual(['data_dir_locked', 'data_dir_locked', 'data_dir_locked', 'open'])
})

test('of several processes that race to create the folder exactly one wins', async () => {
  const racers = await Promise.all(Array.from({ length: 4 }, () => holder()))
  const results = await Promise.all(racers.map(({ open }) => open()))
  expect(results.sort()).toEqual(['data_dir_locked', 'data_dir_locked', 'data_dir_locked', 'open'])
})
