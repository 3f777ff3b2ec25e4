import { createHash } from 'node:crypto'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { createControlClient } from '../../src-main/api/client.js'
import { createTableReplica } from '../../src-main/node-table/replicate/replica.js'
import { openTableStore } from '../../src-main/node-table/store/persistence.js'
import { createStoreFolder } from '../../src-main/node-table/store/store-folder.js'
import { createRememberedPeers } from '../../src-main/p2p/bootstrap/remembered-peers.js'
import { createSecretFile } from '../../src-main/services/secrets/secret-file.js'
import { readHistoryFile } from '../../src-main/telemetry/history-file.js'
import { RECORDED, recordDataFolder } from '../fixtures/data-folders/record.js'
import { runOcf, startNodeProcess } from '../fixtures/node-process.js'
import { createRecordingLog } from '../fixtures/recording-log.js'
import { createOwners, createTurnableClock } from '../fixtures/table-owners.js'
import { createTableParts } from '../fixtures/table-parts.js'

const FOLDERS = resolve(import.meta.dirname, '..', 'fixtures', 'data-folders')
const FORMATS = readdirSync(FOLDERS).filter((name) => /^v\d+$/.test(name))
const NEWEST = `v${Math.max(...FORMATS.map((name) => Number(name.slice(1))))}`
const scratch = mkdtempSync(join(tmpdir(), 'ocf-formats-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

/** A copy of a recorded folder: the recording stays as it is. */
function copyOf(format: string, name: string): string {
  const dir = join(scratch, `${format}-${name}`)
  cpSync(join(FOLDERS, format, 'data'), dir, { recursive: true })
  return dir
}

/** Every file below a folder with the hash of its bytes. */
function fingerprint(dir: string): Record<string, string> {
  const files = readdirSync(dir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  const hashed = files.map(({ parentPath, name }) => {
    const path = join(parentPath, name)
    return [path.slice(dir.length), createHash('sha256').update(readFileSync(path)).digest('hex')] as const
  })
  return Object.fromEntries(hashed.sort(([a], [b]) => (a < b ? -1 : 1)))
}

describe.each(FORMATS)('a data folder of format %s', (format) => {
  const { peerId } = JSON.parse(readFileSync(join(FOLDERS, format, 'expected.json'), 'utf8')) as { peerId: string }

  test('is opened by this version: same peer, shares, pause, ledger and settings', async () => {
    const dataDir = copyOf(format, 'node')
    const key = readFileSync(join(dataDir, 'identity.key'))
    const node = await startNodeProcess({ dataDir, flags: ['--mode', 'standalone'] })
    try {
      expect(node.peerId).toBe(peerId)
      const { call } = createControlClient({ controlFile: join(dataDir, 'control.json') })
      const [share] = await call('shares.list', {})
      expect(share).toMatchObject({ ...RECORDED.share, hasKey: true, aliases: [{ name: 'small' }] })
      // The first format had no visibilities: what was shared stays shared with everyone, and the person is told.
      const isFirst = format === 'v1'
      const [choice] = share!.choices
      expect(choice).toMatchObject({ model: 'llama3.2:1b', visibility: isFirst ? 'everyone' : 'trusted' })
      const { notices = [] } = await call('node.status', {})
      expect(notices.map(({ id }) => id)).toEqual(isFirst ? ['shares-upgraded'] : [])
      expect((await call('pause.get', {})).reasons.map(({ cause }) => cause)).toEqual(['manual'])
      const { requests, tokensOut } = RECORDED.given
      expect((await call('ledger.summary', {})).ever).toMatchObject({ requests, tokensOut, peers: 1 })
      const settings = await call('settings.list', {})
      expect(settings.find(({ name }) => name === 'log-level')).toMatchObject({ value: 'warn' })
    } finally {
      expect((await node.stop()).code).toBe(0)
    }
    expect(readFileSync(join(dataDir, 'identity.key'))).toEqual(key)
    const names = readdirSync(dataDir)
    expect(names.filter((name) => /corrupt|broken|unreadable/.test(name))).toEqual([])
    expect(node.stderr()).not.toMatch(/cannot be (read|understood)|can’t be read/)
  })

  test('has its node table, remembered peers, traffic history and keys', async () => {
    const dataDir = copyOf(format, 'parts')
    const log = createRecordingLog()
    const clock = createTurnableClock()
    const owners = await createOwners(3)
    const table = createTableParts({ clock, log, selfId: peerId, defer: undefined })
    const storeFolder = createStoreFolder({ log, clock }, join(dataDir, 'table'))
    const store = await openTableStore({ log, storeFolder })
    const replica = createTableReplica({ ...table, store, clock, log })
    await replica.load()
    expect([...table.view.rows()].map((row) => row.peerId).sort()).toEqual(
      [owners[0]!.peerId, owners[1]!.peerId].sort(),
    )
    // A withdrawal is kept too: the row it took back must not come again.
    expect(table.ingest(owners[2]!.row(), 'sync')).toBe('known')
    await replica.close()

    const remembered = createRememberedPeers({ log }, { file: join(dataDir, 'remembered-peers.json') })
    await remembered.load()
    expect(remembered.addresses()).toEqual([`/ip4/192.0.2.1/tcp/43905/p2p/${owners[0]!.peerId}`])
    const [hour] = await readHistoryFile(join(dataDir, 'traffic-history.json'), log)
    expect(hour).toMatchObject({ startMs: RECORDED.historyHourMs, out: { ok: 2 } })
    const secrets = createSecretFile({ log }, { file: join(dataDir, 'secrets.json') })
    expect(await secrets.get(RECORDED.secret.name)).toBe(RECORDED.secret.value)
    expect(log.lines.filter(({ level }) => level === 'warn' || level === 'error')).toEqual([])
  })
})

test('what this version writes is what was recorded of its format; another form is a new format', async () => {
  const dir = join(scratch, 'fresh')
  await recordDataFolder(dir)
  const recorded = join(FOLDERS, NEWEST, 'data')
  const jsonFiles = (folder: string): string[] => readdirSync(folder).filter((name) => name.endsWith('.json'))
  expect(jsonFiles(dir).sort()).toEqual(jsonFiles(recorded).sort())
  for (const name of jsonFiles(recorded)) {
    const read = (folder: string): unknown => JSON.parse(readFileSync(join(folder, name), 'utf8'))
    expect(read(dir), name).toEqual(read(recorded))
  }
})

test('a folder of a newer format is refused with what to do, and nothing in it is touched', async () => {
  const dataDir = copyOf(NEWEST, 'newer')
  const newer = Number(NEWEST.slice(1)) + 1
  writeFileSync(join(dataDir, 'ocf-data.json'), JSON.stringify({ format: newer, what: 'nobody here knows' }))
  const before = fingerprint(dataDir)
  const { code, stdout, stderr } = await runOcf(['start', '--data-dir', dataDir, '--ready-json', '--port', '0'])
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toContain(`written by a newer version of this program (format ${newer}`)
  expect(stderr).toContain('Update the program, or pass another folder with --data-dir.')
  expect(fingerprint(dataDir)).toEqual(before)
})
