import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { OWNER_FILE } from '../../../../fixtures/file-modes.js'
import { cli } from '../../cli-fixture.js'

const IDENTITY = { peerId: '12D3KooWMe', seeded: false, file: '/data/identity.key', nextPeerId: null }
const FILES = { '/cwd/pass': 'correct horse\n', '/cwd/backup.json': '{}', '/cwd/empty': '\n' }

let dir: string
beforeEach(() => (dir = mkdtempSync(join(tmpdir(), 'ocf-test-'))))
afterEach(() => rmSync(dir, { recursive: true, force: true }))

test('it tells whose key the node has, and whose it will be', async () => {
  const line = cli({ answers: { 'identity.get': { ...IDENTITY, nextPeerId: '12D3KooWNext' } } })
  expect(await line.run('identity')).toBe(0)
  expect(line.output()).toBe(
    '12D3KooWMe\nIts key lies in /data/identity.key.\nAfter the next start it is 12D3KooWNext.\n',
  )
})

test('a backup is written for its owner alone, and never over a file', async () => {
  const file = join(dir, 'backup.json')
  const line = cli({ files: FILES, answers: { 'identity.backup': { fileName: 'x', text: 'locked' } } })
  expect(await line.run('identity', 'backup', file, '--passphrase-file', 'pass')).toBe(0)
  expect(readFileSync(file, 'utf8')).toBe('locked')
  expect(statSync(file).mode & 0o777).toBe(OWNER_FILE)
  expect(await line.run('identity', 'backup', file, '--passphrase-file', 'pass')).toBe(1)
  expect(line.errors()).toContain('it is there already')
})

test('a restored identity is told with the file the old one is kept in', async () => {
  const restored = { identity: { ...IDENTITY, nextPeerId: '12D3KooWNext' }, keptAs: 'identity.key.bak-1', people: 2 }
  const line = cli({ files: FILES, answers: { 'identity.restore': restored } })
  expect(await line.run('identity', 'restore', 'backup.json', '--passphrase-file', 'pass')).toBe(0)
  expect(line.output()).toContain('2 peers of the backup are trusted again.')
  expect(line.output()).toMatch(/After the next start this node is 12D3KooWNext\. .* kept as identity\.key\.bak-1/)
})

test.each([
  [['identity', 'burn', 'x']],
  [['identity', 'backup']],
  [['identity', 'backup', 'x']],
  [['identity', 'backup', 'x', '--passphrase-file']],
  [['identity', 'backup', 'x', '--passphrase-file', 'empty']],
  [['identity', 'restore', 'nothing.json', '--passphrase-file', 'pass']],
])('%j is a slip on the command line', async (words) => {
  const line = cli({ files: FILES })
  expect(await line.run(...words)).toBe(2)
  expect(line.errors()).not.toBe('')
})
