import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createTableReplica } from '../../../../src-main/node-table/replicate/replica.js'
import type { TableReplica } from '../../../../src-main/node-table/replicate/replica.js'
import { openTableStore } from '../../../../src-main/node-table/store/persistence.js'
import type { TableStore } from '../../../../src-main/node-table/store/persistence.js'
import { createStoreFolder } from '../../../../src-main/node-table/store/store-folder.js'
import type { StoreFolder } from '../../../../src-main/node-table/store/store-folder.js'
import { canonicalUpdate } from '../../../../src-main/node-table/wire/canonical-update.js'
import { EPOCH_MS } from '../../../../src-main/node-table/wire/epoch.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'
import { createOwners, createTurnableClock, TODAY } from '../../../fixtures/table-owners.js'
import type { Owner, TurnableClock } from '../../../fixtures/table-owners.js'
import { createTableParts, type TableParts } from '../../../fixtures/table-parts.js'

const NOON = EPOCH_MS / 2
let owners: Owner[]
let dataDir: string
let clock: TurnableClock
let log: ReturnType<typeof createRecordingLog>
const open: { close(): Promise<void> }[] = []

beforeAll(async () => {
  owners = await createOwners(20)
})

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'ocf-table-'))
  clock = createTurnableClock()
  log = createRecordingLog()
})

afterEach(async () => {
  for (const each of open.splice(0)) await each.close()
  await rm(dataDir, { recursive: true, force: true })
})

const folder = (): string => join(dataDir, 'table')

async function openStore(): Promise<TableStore> {
  const store = await openTableStore({ log, storeFolder: createStoreFolder({ log, clock }, folder()) })
  open.push(store)
  return store
}

async function startTable(): Promise<TableParts & { replica: TableReplica; store: TableStore }> {
  const store = await openStore()
  const table = createTableParts({ clock, log, defer: undefined })
  const replica = createTableReplica({ ...table, store, clock, log })
  await replica.load()
  return { ...table, replica, store }
}

function warnings(): string[] {
  return log.lines.filter(({ level }) => level === 'warn' || level === 'error').map(({ message }) => message)
}

async function folderMiB(): Promise<number> {
  const sizes = await Promise.all(
    (await readdir(folder())).map(async (name) => (await stat(join(folder(), name))).size),
  )
  return sizes.reduce((sum, size) => sum + size, 0) / 1024 / 1024
}

async function corruptFolders(): Promise<string[]> {
  return (await readdir(dataDir)).filter((name) => name.startsWith('table.corrupt-'))
}

describe('a table', () => {
  test('is there again after a restart, withdrawals included', async () => {
    const first = await startTable()
    for (const owner of owners) first.ingest(owner.row(), 'sync')
    first.ingest(owners[0]!.withdrawal({ seq: NOON + 1 }), 'sync')
    await first.replica.close()
    const second = await startTable()
    expect(second.view.digest()).toEqual(first.view.digest())
    expect(second.view.size).toBe(owners.length - 1)
    expect(second.ingest(owners[0]!.row(), 'sync')).toBe('known')
    expect(warnings()).toEqual([])
  })

  test('keeps the rows of today and yesterday, and drops older documents', async () => {
    const first = await startTable()
    first.ingest(owners[0]!.row({ leaseMs: EPOCH_MS / 2 }), 'sync')
    await first.replica.close()
    clock.turn(EPOCH_MS)
    const second = await startTable()
    expect(second.view.entryCount).toBe(1)
    await second.replica.close()
    clock.turn(EPOCH_MS)
    const third = await startTable()
    expect(third.view.entryCount).toBe(0)
    expect(await third.store.load(TODAY)).toEqual([])
  })

  test('is one update again after hundreds of changes', { timeout: 30_000 }, async () => {
    const { view, ingest, verifier, replica, store } = await startTable()
    for (let round = 0; round < 502; round += 1) {
      ingest(owners[round % owners.length]!.row({ seq: NOON - 1000 + round }), 'sync')
      verifier.flush()
      if (round % 50 === 0) await store.load(TODAY)
    }
    expect(store.needsReplacing(TODAY)).toBe(true)
    await replica.maintain()
    expect(await store.load(TODAY)).toHaveLength(1)
    await replica.close()
    const { view: again } = await startTable()
    expect(again.digest()).toEqual(view.digest())
  })

  test('adds 64 MiB of updates to the disk at most before they become one', async () => {
    const { store, replica } = await startTable()
    const large = (seq: number): Uint8Array =>
      canonicalUpdate([{ peerId: 'x', epoch: TODAY, seq, clientId: seq, bytes: new Uint8Array(4 * 1024 * 1024) }])
    for (let count = 0; count < 30; count += 1) store.append(TODAY, large(count))
    expect((await store.load(TODAY)).length).toBe(15)
    expect(await folderMiB()).toBeLessThan(140)
    expect(store.needsReplacing(TODAY)).toBe(true)
    await store.replace(TODAY, large(0))
    expect(await folderMiB()).toBeLessThan(16)
    store.append(TODAY, large(1))
    expect(await store.load(TODAY)).toHaveLength(2)
    await replica.close()
  })

  test('has its documents again when the clock was wrong for a while and they were dropped', async () => {
    const { ingest, verifier, view, replica, documents } = await startTable()
    for (const owner of owners) ingest(owner.row({ leaseMs: EPOCH_MS / 2 }), 'sync')
    verifier.flush()
    clock.step(-3 * EPOCH_MS)
    await replica.maintain()
    expect([documents.size(TODAY), view.size]).toEqual([0, owners.length])
    clock.turn(3 * EPOCH_MS)
    await replica.maintain()
    expect([documents.size(TODAY), documents.clocks().size]).toEqual([owners.length, owners.length])
    await replica.close()
    expect((await startTable()).view.size).toBe(owners.length)
  })

  test('skips updates on disk that are broken, and keeps the others', async () => {
    const first = await startTable()
    first.ingest(owners[0]!.row(), 'sync')
    first.verifier.flush()
    const forged = owners[1]!.row()
    forged[60]! ^= 1
    first.store.append(TODAY, canonicalUpdate([{ peerId: 'forged', epoch: TODAY, seq: 1, clientId: 5, bytes: forged }]))
    first.store.append(TODAY, new Uint8Array([1, 1, 1, 0, 0, 0]))
    first.ingest(owners[2]!.row(), 'sync')
    await first.replica.close()
    const second = await startTable()
    expect([...second.view.rows()].map(({ peerId }) => peerId).sort()).toEqual(
      [owners[0]!.peerId, owners[2]!.peerId].sort(),
    )
    expect(log.lines.at(-1)).toMatchObject({ level: 'warn', fields: { skipped: 2 } })
  })
})

describe('a store', () => {
  test('that another node has open is not opened: the error names the folder and what to do', async () => {
    await openStore()
    await expect(
      openTableStore({ log, storeFolder: createStoreFolder({ log, clock }, folder()) }),
    ).rejects.toMatchObject({
      code: 'data_dir_locked',
      message: expect.stringContaining(dataDir) as string,
    })
  })

  test('that is corrupt is moved aside, said so, and started empty; three of them are kept', async () => {
    for (let round = 0; round < 5; round += 1) {
      const { ingest, replica } = await startTable()
      ingest(owners[0]!.row(), 'sync')
      await replica.close()
      const manifest = (await readdir(folder())).find((name) => name.startsWith('MANIFEST'))!
      const bytes = await readFile(join(folder(), manifest))
      await writeFile(join(folder(), manifest), bytes.subarray(0, 10))
      clock.turn(1000)
      const before = warnings().length
      const { view: empty, replica: fresh } = await startTable()
      expect(empty.entryCount).toBe(0)
      expect(warnings().slice(before)).toEqual([
        'the node table on disk can’t be read: it was moved aside, and the table starts empty',
      ])
      await fresh.close()
      clock.turn(1000)
    }
    expect(await corruptFolders()).toHaveLength(3)
  })

  test('a table on disk whose MANIFEST a power cut took is moved aside and starts empty', async () => {
    const { ingest, replica } = await startTable()
    ingest(owners[0]!.row(), 'sync')
    await replica.close()
    for (const name of await readdir(folder())) if (name.startsWith('MANIFEST')) await rm(join(folder(), name))
    const { view: empty, replica: fresh } = await startTable()
    expect([empty.entryCount, (await corruptFolders()).length]).toEqual([0, 1])
    await fresh.close()
    await (await startTable()).replica.close()
    expect(await corruptFolders()).toHaveLength(1)
  })

  test('of which a file is missing is moved aside when reading fails', async () => {
    const { ingest, replica } = await startTable()
    for (const owner of owners) ingest(owner.row(), 'sync')
    await replica.close()
    // A second start moves what the log of the first had into a table file.
    await (await startTable()).replica.close()
    const store = await openStore()
    const tables = (await readdir(folder())).filter((name) => name.endsWith('.ldb'))
    expect(tables.length).toBeGreaterThan(0)
    for (const name of tables) await rm(join(folder(), name))
    expect(await store.load(TODAY)).toEqual([])
    expect(await corruptFolders()).toHaveLength(1)
    store.confirmRead()
    await store.close()
    const again = await startTable()
    again.ingest(owners[0]!.row(), 'sync')
    await again.replica.close()
    expect((await startTable()).view.entryCount).toBe(1)
  })

  test('at which the process died while reading is moved aside at the next start', async () => {
    const { ingest, replica } = await startTable()
    ingest(owners[0]!.row(), 'sync')
    await replica.close()
    const dying = await openStore()
    await dying.load(TODAY)
    await dying.close()
    const { view: after, replica: next } = await startTable()
    expect([after.entryCount, (await corruptFolders()).length]).toEqual([0, 1])
    await next.close()
    await (await startTable()).replica.close()
    expect(await corruptFolders()).toHaveLength(1)
  })

  test('that can’t be created says which folder and what to do', async () => {
    await writeFile(join(dataDir, 'file'), '')
    await expect(createStoreFolder({ log, clock }, join(dataDir, 'file', 'table')).open()).rejects.toMatchObject({
      code: 'data_dir_unusable',
    })
  })

  test('that can’t be written warns once and the table goes on; what was missed is written when there is room', async () => {
    let isDiskFull = false
    const real = createStoreFolder({ log, clock }, folder())
    const storeFolder: StoreFolder = {
      ...real,
      async open() {
        const opened = (await real.open())!
        const transact = opened.persistence._transact
        opened.persistence._transact = (transaction) =>
          isDiskFull ? Promise.reject(new Error('No space left on device')) : transact(transaction)
        return opened
      },
    }
    const store = await openTableStore({ log, storeFolder })
    const { view, ...table } = createTableParts({ clock, log, defer: undefined })
    const replica = createTableReplica({ ...table, view, store, clock, log })
    await replica.load()
    isDiskFull = true
    for (const owner of owners) {
      table.ingest(owner.row(), 'sync')
      table.verifier.flush()
    }
    await replica.maintain()
    expect(view.size).toBe(owners.length)
    expect(warnings()).toEqual(['the node table can’t be written to disk; the node goes on without'])
    isDiskFull = false
    await replica.maintain()
    await replica.close()
    expect((await startTable()).view.size).toBe(owners.length)
  })
})
