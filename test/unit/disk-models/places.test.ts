import { createHash } from 'node:crypto'
import { lstat, mkdir, mkdtemp, readdir, readFile, rm, symlink, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { systemClock } from '../../../src-main/base/clock.js'
import { createDiskModels, type DiskModels } from '../../../src-main/disk-models/index.js'
import { tinyModel } from '../../engine/gguf.js'
import { createRecordingLog } from '../../fixtures/recording-log.js'

let home: string
let disk: DiskModels
let folders: string[]

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'ocf-disk-'))
  folders = []
  disk = createDiskModels(
    { clock: systemClock, log: createRecordingLog() },
    {
      file: join(home, 'data', 'found.json'),
      folders: () => folders,
      places: { home: join(home, 'person'), platform: 'linux', env: {} },
    },
  )
})
afterEach(async () => {
  await disk.stop()
  await rm(home, { recursive: true, force: true })
})

async function put(path: string, content: Buffer | string): Promise<string> {
  const file = join(home, 'person', path)
  await mkdir(dirname(file), { recursive: true })
  await writeFile(file, content)
  return file
}

const digestOf = (content: Buffer): string => createHash('sha256').update(content).digest('hex')

async function found(): Promise<{ name: string; apps: string[]; problem: string | null }[]> {
  disk.scan()
  await disk.settled()
  const { models, problem } = disk.state()
  expect(problem).toBeNull()
  return models.map(({ name, places, problem }) => ({ name, apps: places.map(({ app }) => app), problem }))
}

/** Of every file: where it lies, what is in it and when it was changed. */
async function treeOf(dir: string): Promise<string[]> {
  const entries = await readdir(dir, { recursive: true, withFileTypes: true })
  return Promise.all(
    entries.map(async (entry) => {
      const path = join(entry.parentPath, entry.name)
      const { mtimeMs } = await lstat(path)
      return `${path} ${mtimeMs} ${entry.isFile() ? digestOf(await readFile(path)) : ''}`
    }),
  )
}

async function fourApps(): Promise<void> {
  const [first, second, third, fourth] = [1, 2, 3, 4].map((seed) => tinyModel(seed)) as [Buffer, Buffer, Buffer, Buffer]
  const layers = [{ mediaType: 'application/vnd.ollama.image.model', digest: `sha256:${digestOf(first)}`, size: 1 }]
  await put(`.ollama/models/blobs/sha256-${digestOf(first)}`, first)
  for (const name of ['registry.ollama.ai/library/llama3.2/latest', 'hf.co/someone/tiny/Q4_K_M']) {
    await put(`.ollama/models/manifests/${name}`, JSON.stringify({ layers }))
  }
  await put('.lmstudio/settings.json', JSON.stringify({ downloadsFolder: join(home, 'person', 'lm') }))
  await put('lm/publisher/tiny-GGUF/tiny-Q4_K_M.gguf', second)
  const hub = '.cache/huggingface/hub/models--org--name'
  const blob = await put(`${hub}/blobs/${digestOf(third)}`, third)
  await mkdir(join(home, 'person', hub, 'snapshots', 'abc'), { recursive: true })
  await symlink(blob, join(home, 'person', hub, 'snapshots', 'abc', 'name.gguf'))
  await put('.cache/llama.cpp/org_name_fourth.gguf', fourth)
}

test('the models of four programs are found under the names those have for them, and nothing is written there', async () => {
  await fourApps()
  const before = await treeOf(join(home, 'person'))
  expect(await found()).toEqual([
    { name: 'hf.co/someone/tiny:Q4_K_M', apps: ['ollama'], problem: null },
    { name: 'name', apps: ['hugging-face'], problem: null },
    { name: 'tiny-Q4_K_M', apps: ['lm-studio'], problem: null },
    { name: 'org_name_fourth', apps: ['llama.cpp'], problem: null },
  ])
  expect(await treeOf(join(home, 'person'))).toEqual(before)
})

test('what was found is kept, and is there after a start without another scan', async () => {
  await fourApps()
  const names = (await found()).map(({ name }) => name)
  const next = createDiskModels(
    { clock: systemClock, log: createRecordingLog() },
    { file: join(home, 'data', 'found.json'), folders: () => [] },
  )
  await next.start(new AbortController().signal)
  expect(next.state().models.map(({ name }) => name)).toEqual(names)
})

test('one file in several places is one model: behind a link, by its digest, and as a copy', async () => {
  const content = tinyModel(7)
  const file = await put('one/copy.gguf', content)
  await put('two/another-copy.gguf', content)
  await mkdir(join(home, 'person', 'three'))
  await symlink(file, join(home, 'person', 'three', 'link.gguf'))
  folders = ['one', 'two', 'three'].map((name) => join(home, 'person', name))
  const [model, ...others] = await found()
  expect(others).toEqual([])
  expect(model).toMatchObject({ name: 'copy', apps: ['folder', 'folder', 'folder'] })
})

test('the header tells what a model is', async () => {
  await put('m/tiny.gguf', tinyModel())
  folders = [join(home, 'person', 'm')]
  await found()
  expect(disk.state().models[0]).toMatchObject({
    ...{ architecture: 'llama', contextLength: 8192, hasChatTemplate: false, embedding: false, files: 1 },
    parameters: '120K',
  })
})

test('a damaged file is listed with why, and a part of a split model that is missing is told', async () => {
  const cut = await put('m/cut.gguf', tinyModel())
  await truncate(cut, 300)
  await put('m/text.gguf', 'not a model at all')
  await put('m/big-00001-of-00003.gguf', tinyModel(2))
  await put('m/big-00003-of-00003.gguf', tinyModel(3))
  folders = [join(home, 'person', 'm')]
  expect(await found()).toEqual([
    { name: 'big', apps: ['folder'], problem: '1 of its 3 files are missing.' },
    { name: 'cut', apps: ['folder'], problem: 'It can’t be read: it ends too early.' },
    { name: 'text', apps: ['folder'], problem: 'It can’t be read: it is no GGUF file.' },
  ])
})

test('a scan that is called off keeps what was known, and a loop of links ends', async () => {
  await fourApps()
  await found()
  await symlink(join(home, 'person'), join(home, 'person', 'lm', 'loop'))
  disk.scan()
  disk.cancel()
  await disk.settled()
  expect(disk.state()).toMatchObject({ scanning: false, problem: null })
  expect(disk.state().models).toHaveLength(4)
  expect(await found()).toHaveLength(4)
})

test('what was found and can’t be kept is shown all the same, and it is said', async () => {
  await put('m/tiny.gguf', tinyModel())
  folders = [join(home, 'person', 'm')]
  // Nothing can be put in its place.
  await mkdir(join(home, 'data', 'found.json', 'folder'), { recursive: true })
  disk.scan()
  await disk.settled()
  expect(disk.state()).toMatchObject({ scanning: false, models: [{ name: 'tiny' }] })
  expect(disk.state().problem).toMatch(
    /^What was found can’t be kept for the next start \((?:EISDIR|ENOTEMPTY|EEXIST)\)\.$/,
  )
})
