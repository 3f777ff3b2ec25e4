import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createKeptChats, type KeptChats } from '../../../src-main/chats/index.js'
import { createSecretFile, type Vault } from '../../../src-main/services/secrets/index.js'
import { OWNER_FILE } from '../../fixtures/file-modes.js'
import { createRecordingLog } from '../../fixtures/recording-log.js'

const MIB = 1024 * 1024
const CANARY = 'canary-of-a-kept-chat'
const SAID = [{ id: 'a-1', text: JSON.stringify({ said: CANARY }) }]

let dir: string
let file: string
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ocf-chats-'))
  file = join(dir, 'chats.bin')
})
afterEach(() => rmSync(dir, { recursive: true, force: true }))

function open({ isKept = () => true, vault }: { isKept?: () => boolean; vault?: Vault } = {}) {
  const log = createRecordingLog()
  const secrets = createSecretFile({ log, vault }, { file: join(dir, 'secrets.json') })
  const chats: KeptChats = createKeptChats({ secrets, isKept, clock: Date, log }, { dir })
  return { chats, log, secrets }
}

/** A key store that turns bytes over. */
const VAULT: Vault = {
  whyNot: () => Promise.resolve(undefined),
  seal: (text) => Promise.resolve(Buffer.from(text).map((byte) => byte ^ 7) as Buffer),
  open: (sealed) => Promise.resolve({ text: Buffer.from(sealed.map((byte) => byte ^ 7)).toString(), isStale: false }),
}

const setAside = (): string[] => readdirSync(dir).filter((name) => name.startsWith('chats.bin.broken-'))

test('kept chats come back after a restart from a file of the owner alone that holds no word of them', async () => {
  await open().chats.save(SAID)
  expect(statSync(file).mode & 0o777).toBe(OWNER_FILE)
  const bytes = readFileSync(file)
  expect(bytes.includes(CANARY) || bytes.includes(Buffer.from(CANARY).toString('base64'))).toBe(false)
  expect(await open().chats.load()).toEqual({
    ...{ keep: true, sealed: false, stored: true, setAside: [] },
    conversations: SAID,
  })
})

test('two stored versions of the same chats share no bytes behind the first words of the file', async () => {
  const { chats } = open()
  await chats.save(SAID)
  const first = readFileSync(file)
  await chats.save(SAID)
  expect(readFileSync(file).subarray(8, 20)).not.toEqual(first.subarray(8, 20))
  expect(readFileSync(file).subarray(36)).not.toEqual(first.subarray(36))
})

test('the key of kept chats is sealed where there is a key store, and the page is told so', async () => {
  expect((await open({ vault: VAULT }).chats.load()).sealed).toBe(true)
  expect(readFileSync(join(dir, 'secrets.json'), 'utf8')).toContain('sealed')
})

test('while chats are not kept nothing is written, and what lies there is neither read nor deleted', async () => {
  let isKept = false
  const { chats } = open({ isKept: () => isKept })
  await expect(chats.save(SAID)).rejects.toMatchObject({ code: 'invalid_request', param: 'chats.keep' })
  expect(await chats.load()).toMatchObject({ keep: false, stored: false, conversations: [] })
  expect(readdirSync(dir)).toEqual([])
  isKept = true
  await chats.save(SAID)
  isKept = false
  expect(await chats.load()).toMatchObject({ keep: false, stored: true, conversations: [] })
  await expect(chats.save([])).rejects.toMatchObject({ code: 'invalid_request' })
  isKept = true
  expect((await chats.load()).conversations).toEqual(SAID)
})

/** Where a word of what was said lies in the file, behind its head. */
const WORD_AT = 36 + JSON.stringify(SAID).indexOf(CANARY)

test.each([
  ['one letter of what was said is another', (bytes: Buffer) => bytes.fill(bytes[WORD_AT]! ^ 1, WORD_AT, WORD_AT + 1)],
  ['one bit of what was said is turned', (bytes: Buffer) => bytes.fill(bytes.at(-1)! ^ 1, bytes.length - 1)],
  ['one bit of the first words is turned', (bytes: Buffer) => bytes.fill(bytes[0]! ^ 1, 0, 1)],
  ['its end is cut off', (bytes: Buffer) => bytes.subarray(0, -3)],
  ['only its beginning is left', (bytes: Buffer) => bytes.subarray(0, 12)],
  ['it is empty', () => Buffer.alloc(0)],
])('a file of kept chats is set aside, named and not lost where %s', async (_how, damage) => {
  await open().chats.save(SAID)
  const damaged = Buffer.from(damage(readFileSync(file)))
  writeFileSync(file, damaged)
  const { chats, log } = open()
  expect(await chats.load()).toMatchObject({ stored: false, setAside: setAside(), conversations: [] })
  expect(setAside()).toHaveLength(1)
  expect(readFileSync(join(dir, setAside()[0]!))).toEqual(damaged)
  expect(log.lines.filter(({ message }) => message.includes('set aside'))).toHaveLength(1)
})

test('a save sets a damaged file aside also where nobody loaded it before', async () => {
  await open().chats.save(SAID)
  writeFileSync(file, 'something else')
  await open().chats.save([])
  expect(readFileSync(join(dir, setAside()[0]!), 'utf8')).toBe('something else')
})

test('kept chats under another key, or whose key is gone, are set aside', async () => {
  await open().chats.save(SAID)
  await open().secrets.set('chats-key', Buffer.alloc(32, 5).toString('base64'))
  expect((await open().chats.load()).setAside).toHaveLength(1)
  rmSync(join(dir, setAside()[0]!))
  await open().chats.save(SAID)
  rmSync(join(dir, 'secrets.json'))
  expect((await open().chats.load()).setAside).toHaveLength(1)
})

test('kept chats whose key can’t be unsealed now stay as they are, whatever is asked', async () => {
  await open({ vault: VAULT }).chats.save(SAID)
  const before = readFileSync(file)
  const { chats } = open()
  await expect(chats.load()).rejects.toMatchObject({ code: 'secret_unreadable' })
  await expect(chats.save([])).rejects.toMatchObject({ code: 'secret_unreadable' })
  expect(readFileSync(file)).toEqual(before)
  expect((await open({ vault: VAULT }).chats.load()).conversations).toEqual(SAID)
})

test('of more than 500 conversations the oldest are dropped and named', async () => {
  const many = Array.from({ length: 503 }, (_, i) => ({ id: `a-${i}`, text: '{}' }))
  const { chats } = open()
  expect(await chats.save(many)).toEqual({ dropped: ['a-500', 'a-501', 'a-502'] })
  expect((await chats.load()).conversations).toEqual(many.slice(0, 500))
})

test('of more than 32 MiB the oldest are dropped and named, and a single larger one is refused', async () => {
  const large = (id: string, bytes: number) => ({ id, text: 'ä'.repeat(bytes / 2) })
  const { chats } = open()
  const { dropped } = await chats.save([large('a', 20 * MIB), large('b', 20 * MIB), large('c', 2 * MIB)])
  expect(dropped).toEqual(['b', 'c'])
  expect((await chats.load()).conversations.map(({ id }) => id)).toEqual(['a'])
  await expect(chats.save([large('d', 32 * MIB + 2)])).rejects.toMatchObject({ code: 'body_too_large' })
  expect((await chats.load()).conversations.map(({ id }) => id)).toEqual(['a'])
})

test('forgetting removes the file, what was set aside and the key', async () => {
  const { chats, secrets } = open()
  await chats.save(SAID)
  writeFileSync(file, 'damaged')
  await chats.load()
  await chats.save(SAID)
  await chats.forget()
  expect(readdirSync(dir).filter((name) => name.startsWith('chats.bin'))).toEqual([])
  expect(await secrets.get('chats-key')).toBeUndefined()
})

test('what a crash left half written is removed at the start, what was set aside stays', async () => {
  for (const name of ['chats.bin.0a1b2c3d4e5f', 'chats.bin.broken-2026-01-01T00-00-00.000Z']) {
    writeFileSync(join(dir, name), 'x')
  }
  await open().chats.start(new AbortController().signal)
  expect(readdirSync(dir)).toEqual(['chats.bin.broken-2026-01-01T00-00-00.000Z'])
})
