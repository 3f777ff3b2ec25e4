import { chmod, chown, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Level } from 'level'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { assertPrivateSettings } from '../../../src-main/base/data-folder/private-paths.js'
import { openDataFolder } from '../../../src-main/base/data-folder.js'
import { OWNER_FOLDER } from '../../fixtures/file-modes.js'
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
  expect((await stat(dir)).mode & 0o777).toBe(OWNER_FOLDER)
  expect(JSON.parse(await readFile(folder.path('ocf-data.json'), 'utf8'))).toEqual({ format: 2 })
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

test('a folder of an older format is opened, and an older version refuses it from then on', async () => {
  await mkdir(dir, { mode: 0o700 })
  await writeFile(join(dir, 'ocf-data.json'), '{"format":1}')
  const folder = await openDataFolder(dir)
  expect(JSON.parse(await readFile(folder.path('ocf-data.json'), 'utf8'))).toEqual({ format: 2 })
  await folder.close()
})

test('a folder of a newer format is refused', async () => {
  await mkdir(dir)
  await writeFile(join(dir, 'ocf-data.json'), '{"format":3}')
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

test('cleanslate removes kept chats, also what was set aside of them', async () => {
  const folder = await openDataFolder(dir)
  for (const name of ['chats.bin', 'chats.bin.broken-2026-01-01T00-00-00.000Z']) await writeFile(folder.path(name), 'x')
  await folder.close()
  const clean = await openDataFolder(dir, { cleanslate: true })
  expect((await readdir(dir)).filter((name) => name.startsWith('chats'))).toEqual([])
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

test('the owner that is named is never another process with its number', async () => {
  const { child, open } = await holder()
  expect(await open()).toBe('open')
  const note = JSON.parse(await readFile(join(dir, 'lock-owner.json'), 'utf8')) as object
  await writeFile(join(dir, 'lock-owner.json'), JSON.stringify({ ...note, startedAt: 'before' }))
  await expect(openDataFolder(dir)).rejects.toThrow('is used by another running node. Stop it')
  child.process.kill('SIGKILL')
  await child.exit
})

/** What a power cut or another program may leave of the lock's files. */
const DAMAGES: [what: string, damage: (lock: string) => Promise<unknown>][] = [
  ...['CURRENT', 'LOCK', 'LOG', 'MANIFEST', '.log'].flatMap((part) => [
    damageTo(part, 'is missing', (file) => rm(file)),
    damageTo(part, 'is empty', (file) => writeFile(file, '')),
    damageTo(part, 'is garbage', (file) => writeFile(file, '\u0000\u0001garbage')),
    damageTo(part, 'is a folder', async (file) => {
      await rm(file)
      await mkdir(join(file, 'x'), { recursive: true })
    }),
  ]),
  ['the whole folder is missing', (lock) => rm(lock, { recursive: true })],
  [
    'the whole folder is a file',
    async (lock) => {
      await rm(lock, { recursive: true })
      await writeFile(lock, 'x')
    },
  ],
  ['its owner is garbage', (lock) => writeFile(join(lock, '..', 'lock-owner.json'), '{')],
]

function damageTo(
  part: string,
  how: string,
  damage: (file: string) => Promise<unknown>,
): [what: string, damage: (lock: string) => Promise<unknown>] {
  return [
    `${part} ${how}`,
    async (lock) => {
      const name = (await readdir(lock)).find(
        (entry) => entry === part || entry.startsWith(`${part}-`) || entry.endsWith(part),
      )
      await damage(join(lock, name ?? part))
    },
  ]
}

test.each(DAMAGES)('a damaged lock of which %s keeps no node from starting', async (_what, damage) => {
  await (await openDataFolder(dir)).close()
  await damage(join(dir, 'lock'))
  const folder = await openDataFolder(dir)
  await expect(openDataFolder(dir)).rejects.toMatchObject({
    code: 'data_dir_locked',
    message: expect.stringContaining(`(pid ${process.pid})`),
  })
  await folder.close()
  await (await openDataFolder(dir)).close()
})

test('of twenty processes that race for a folder with a damaged lock exactly one wins', async () => {
  await (await openDataFolder(dir)).close()
  const racers = await Promise.all(Array.from({ length: 20 }, () => holder()))
  const manifest = (await readdir(join(dir, 'lock'))).find((name) => name.startsWith('MANIFEST')) ?? ''
  await rename(join(dir, 'lock', manifest), join(dir, 'elsewhere'))
  const results = await Promise.all(racers.map(({ open }) => open()))
  expect(results.sort()).toEqual([...Array<string>(19).fill('data_dir_locked'), 'open'])
})

test('a lock that a version before has taken is respected', async () => {
  await mkdir(dir, { mode: 0o700 })
  const before = new Level(join(dir, 'lock'))
  await before.open()
  await writeFile(join(dir, 'lock-owner.json'), JSON.stringify({ pid: process.pid }))
  await expect(openDataFolder(dir)).rejects.toThrow(`(pid ${process.pid})`)
  await before.close()
  await (await openDataFolder(dir)).close()
})

describe.skipIf(process.platform === 'win32')('a data folder that others have a hand in', () => {
  const OTHER_USER = 65_534

  test.skipIf(process.getuid?.() !== 0)('a folder of another user is refused and left as it is', async () => {
    await mkdir(dir, { mode: 0o700 })
    await chown(dir, OTHER_USER, OTHER_USER)
    await expect(openDataFolder(dir)).rejects.toMatchObject({ code: 'data_dir_foreign' })
    expect([(await stat(dir)).mode & 0o777, await readdir(dir)]).toEqual([0o700, []])
  })

  test.skipIf(process.getuid?.() !== 0)('a folder that a foreign group can write to is refused', async () => {
    await mkdir(dir)
    await chmod(dir, 0o770)
    await chown(dir, 0, OTHER_USER)
    await expect(openDataFolder(dir)).rejects.toMatchObject({ code: 'data_dir_unusable' })
  })

  test('a folder that everyone can write to is refused with what to do', async () => {
    await mkdir(dir)
    await chmod(dir, 0o777)
    await expect(openDataFolder(dir)).rejects.toMatchObject({
      code: 'data_dir_unusable',
      message: expect.stringContaining(`chmod 700 ${dir}`),
    })
    expect(await readdir(dir)).toEqual([])
    await chmod(dir, process.platform === 'darwin' ? 0o700 : 0o770)
    await (await openDataFolder(dir)).close()
  })

  test.skipIf(process.getuid?.() !== 0)('a folder below one of another user is refused before it is made', async () => {
    const parent = join(dir, '..')
    await chown(parent, OTHER_USER, OTHER_USER)
    await expect(openDataFolder(dir)).rejects.toMatchObject({
      code: 'data_dir_foreign',
      message: expect.stringContaining(`${parent} belongs to another user`),
    })
    expect(await readdir(parent)).toEqual([])
  })

  test('a folder in one that everyone can write to is refused, and with the sticky bit it is not', async () => {
    const parent = join(dir, '..')
    await chmod(parent, 0o777)
    await expect(openDataFolder(dir)).rejects.toMatchObject({
      code: 'data_dir_unusable',
      message: expect.stringContaining(`chmod go-w ${parent}`),
    })
    await chmod(parent, 0o1777)
    await (await openDataFolder(dir)).close()
  })

  test('a link to a folder that others can replace is refused', async () => {
    const open = join(dir, '..', 'open')
    await mkdir(join(open, 'real'), { recursive: true, mode: 0o700 })
    await chmod(open, 0o777)
    await symlink(join(open, 'real'), dir)
    await expect(openDataFolder(dir)).rejects.toMatchObject({ message: expect.stringContaining(`chmod go-w ${open}`) })
    expect(await readdir(join(open, 'real'))).toEqual([])
  })

  test.skipIf(process.getuid?.() !== 0)('a file of another user in the folder is refused with what to do', async () => {
    const folder = await openDataFolder(dir)
    await writeFile(folder.path('shares.json'), '{}')
    await folder.close()
    await chown(folder.path('shares.json'), OTHER_USER, OTHER_USER)
    await expect(openDataFolder(dir)).rejects.toThrow(
      'shares.json belongs to another user (65534), who could change it.',
    )
  })

  test('a file that others can write to is refused where they can enter the folder', async () => {
    const folder = await openDataFolder(dir)
    await writeFile(folder.path('shares.json'), '{}')
    await folder.close()
    await chmod(folder.path('shares.json'), 0o666)
    await (await openDataFolder(dir)).close()
    await chmod(dir, 0o755)
    await expect(openDataFolder(dir)).rejects.toThrow(`chmod -R go-w ${dir}`)
  })

  test.each([
    'identity.key',
    'secrets.json',
    'shares.json',
    'api-keys.json',
    'control.json',
    'control-token.json',
    'remembered-peers.json',
    'table/CURRENT',
    'peers/CURRENT',
    'lock/LOCK',
    'logs/node.log',
  ])('a link in the place of the file %s is refused and not followed', async (name) => {
    await (await openDataFolder(dir)).close()
    const target = join(dir, '..', 'target')
    await writeFile(target, 'kept')
    await mkdir(join(dir, name, '..'), { recursive: true })
    await rm(join(dir, name), { force: true })
    await symlink(target, join(dir, name))
    await expect(openDataFolder(dir, { cleanslate: true })).rejects.toMatchObject({
      code: 'data_dir_foreign',
      message: expect.stringContaining(join(dir, name)),
    })
    expect(await readFile(target, 'utf8')).toBe('kept')
  })

  test.each(['peers', 'table', 'logs', 'lock'])(
    'a link in the place of %s is refused and not followed',
    async (name) => {
      await (await openDataFolder(dir)).close()
      const target = join(dir, '..', 'target')
      await mkdir(target)
      await rm(join(dir, name), { recursive: true, force: true })
      await symlink(target, join(dir, name))
      await expect(openDataFolder(dir)).rejects.toMatchObject({
        code: 'data_dir_foreign',
        message: expect.stringContaining(join(dir, name)),
      })
      expect(await readdir(target)).toEqual([])
    },
  )

  test('a data folder that is itself reached by a link is one', async () => {
    const real = join(dir, '..', 'real')
    await mkdir(real, { mode: 0o700 })
    await symlink(real, dir)
    await (await openDataFolder(dir)).close()
    expect(await readdir(real)).toContain('ocf-data.json')
  })

  test('settings that others could have written are refused, and those of this user and the system are not', async () => {
    const file = join(dir, '..', 'config.yaml')
    await assertPrivateSettings(file, false)
    await expect(assertPrivateSettings(file, true)).rejects.toMatchObject({ code: 'invalid_settings' })
    await writeFile(file, 'subprocess: calc')
    await assertPrivateSettings(file, true)
    await chmod(file, 0o666)
    await expect(assertPrivateSettings(file, true)).rejects.toThrow(`chmod go-w ${file}`)
    await chmod(file, process.platform === 'darwin' ? 0o644 : 0o664)
    await assertPrivateSettings(file, true)
    await chmod(join(file, '..'), 0o777)
    await expect(assertPrivateSettings(file, true)).rejects.toThrow('could put another file in the place of')
    await chmod(join(file, '..'), 0o700)
    if (process.getuid?.() !== 0) return
    await chown(file, OTHER_USER, 0)
    await expect(assertPrivateSettings(file, true)).rejects.toThrow('belongs to another user')
  })
})
