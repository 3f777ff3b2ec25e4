import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import * as Y from 'yjs'
import { createTableReplica, type TableReplica } from '../../../src-main/node-table/replicate/replica.js'
import { openTableStore } from '../../../src-main/node-table/store/persistence.js'
import { createStoreFolder } from '../../../src-main/node-table/store/store-folder.js'
import { EPOCH_MS, epochOf } from '../../../src-main/node-table/wire/epoch.js'
import { encodeFrame } from '../../../src-main/node-table/wire/sync-frames.js'
import { createRecordingLog } from '../../fixtures/recording-log.js'
import { createOwner, createRandom, createTurnableClock, TODAY, type Owner } from '../../fixtures/table-owners.js'
import { createTableParts, type TableParts } from '../../fixtures/table-parts.js'

// Rows in one process: how fast they come in, what they take, and how a month of churn changes that.

/** What it can be asked for. */
type Question =
  | { ingest: number; folder?: string }
  | { load: string; rows: number }
  | { churnDays: number; peers: number }

const MODELS = Array.from({ length: 18 }, (_, index) => `organisation/some-model-${index}-instruct`)
const clock = createTurnableClock()
const log = createRecordingLog()

async function openTable(folder: string): Promise<TableParts & { replica: TableReplica }> {
  const store = await openTableStore({ log, storeFolder: createStoreFolder({ log, clock }, join(folder, 'table')) })
  const table = createTableParts({ clock, log, defer: undefined })
  const replica = createTableReplica({ ...table, store, clock, log })
  await replica.load()
  return { ...table, replica }
}

const documentBytes = ({ documents }: TableParts, epoch: number): number => {
  const doc = documents.get(epoch)
  return doc === undefined ? 0 : Y.encodeStateAsUpdate(doc).byteLength
}

const stateBytes = ({ documents }: TableParts): number =>
  encodeFrame({ type: 'state', clocks: documents.clocks(), timeMs: clock.now() }).byteLength

/** The heap, and the bytes of envelopes, which lie outside of it. */
async function memoryMiB(): Promise<{ heap: number; buffers: number }> {
  globalThis.gc?.()
  // Buffers are freed a moment after the collection that found them.
  await pause(200)
  globalThis.gc?.()
  const { heapUsed, arrayBuffers } = process.memoryUsage()
  return { heap: heapUsed / 1024 / 1024, buffers: arrayBuffers / 1024 / 1024 }
}

/** Milliseconds of processor time of this process, which other work on the machine does not change much. */
function cpuMs(since?: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(since)
  return (user + system) / 1000
}

/** The store may put its files together meanwhile; a file that is gone takes no room. */
async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return 0
    throw error
  }
}

async function diskBytes(folder: string): Promise<number> {
  const names = await readdir(join(folder, 'table'))
  const sizes = await Promise.all(names.map((name) => sizeOf(join(folder, 'table', name))))
  return sizes.reduce((sum, size) => sum + size, 0)
}

async function ingest(rows: number): Promise<object> {
  const folder = await mkdtemp(join(tmpdir(), 'ocf-bench-'))
  const envelopes: Uint8Array[] = []
  for (let index = 0; index < rows; index += 1) {
    envelopes.push((await createOwner(index)).row({ models: MODELS, leaseMs: EPOCH_MS / 2 }))
  }
  const table = await openTable(folder)
  const before = await memoryMiB()
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  for (const envelope of envelopes) table.ingest(envelope, 'sync')
  table.verifier.flush()
  const ms = performance.now() - startedAt
  const ingestCpuMs = cpuMs(cpu)
  // What waits for the disk is written then.
  await table.replica.maintain()
  const after = await memoryMiB()
  const figures = {
    rows,
    envelopeBytes: envelopes[0]?.byteLength ?? 0,
    ingestCpuMs,
    rowsPerS: Math.round((rows / ms) * 1000),
    heapMiB: after.heap - before.heap,
    bufferMiB: after.buffers - before.buffers,
    documentBytes: documentBytes(table, TODAY),
    stateBytes: stateBytes(table),
  }
  await table.replica.maintain({ rebuildAll: true })
  await table.replica.close()
  return { ...figures, folder, diskBytes: await diskBytes(folder) }
}

async function load(folder: string): Promise<object> {
  const cpu = process.cpuUsage()
  const startedAt = performance.now()
  const table = await openTable(folder)
  const ms = performance.now() - startedAt
  const loadCpuMs = cpuMs(cpu)
  const { size } = table.view
  await table.replica.close()
  await rm(folder, { recursive: true })
  return { loadMs: ms, loadCpuMs, loaded: size }
}

/** Every peer restarts once a day, five in a hundred leave for good and as many come. */
async function churn(days: number, peers: number): Promise<object> {
  const folder = await mkdtemp(join(tmpdir(), 'ocf-bench-'))
  const random = createRandom(1)
  const alive: Owner[] = []
  let born = 0
  const bear = async (): Promise<void> => void alive.push(await createOwner(born++))
  while (alive.length < peers) await bear()
  const table = await openTable(folder)
  const perDay: { day: number; rows: number; documentBytes: number; stateBytes: number; diskBytes: number }[] = []
  const HOURS = 24
  for (let hour = 0; hour < days * HOURS; hour += 1) {
    clock.turn(EPOCH_MS / HOURS)
    table.view.sweep()
    const now = clock.now()
    const epoch = epochOf(now)
    for (let index = 0; index < alive.length; index += 1) {
      const owner = alive[index]!
      const chance = random()
      const seq = now - epoch * EPOCH_MS - Math.floor(random() * 30_000)
      if (chance < 0.05 / HOURS) {
        table.ingest(owner.withdrawal({ epoch, seq: Math.max(1, seq) }), 'sync')
        alive[index] = await createOwner(born++)
      } else if (chance < (0.05 + 1 + 2) / HOURS) {
        // A restart a day and two renewals.
        table.ingest(owner.row({ epoch, seq: Math.max(0, seq), leaseMs: EPOCH_MS / 2, models: MODELS }), 'sync')
      }
    }
    table.verifier.flush()
    await table.replica.maintain()
    if (hour % HOURS !== HOURS - 1) continue
    const documents = documentBytes(table, epoch) + documentBytes(table, epoch - 1)
    perDay.push({
      day: (hour + 1) / HOURS,
      rows: table.view.size,
      documentBytes: documents,
      stateBytes: stateBytes(table),
      diskBytes: await diskBytes(folder),
    })
  }
  await table.replica.close()
  await rm(folder, { recursive: true })
  return { born, perDay }
}

process.on('message', (question: Question) => {
  const work =
    'ingest' in question
      ? ingest(question.ingest)
      : 'load' in question
        ? load(question.load)
        : churn(question.churnDays, question.peers)
  work.then(
    (figures) => process.send?.(figures),
    (error: unknown) => {
      console.error(error)
      process.exit(1)
    },
  )
})
