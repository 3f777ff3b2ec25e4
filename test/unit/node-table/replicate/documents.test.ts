import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import * as Y from 'yjs'
import { createClockWatch } from '../../../../src-main/node-table/replicate/clock-watch.js'
import { createTableReplica } from '../../../../src-main/node-table/replicate/replica.js'
import { createSenderLimits } from '../../../../src-main/node-table/replicate/sender-limits.js'
import {
  initiateSync,
  respondToSync,
  type SessionNeeds,
} from '../../../../src-main/node-table/replicate/sync-session.js'
import type { TableStore } from '../../../../src-main/node-table/store/persistence.js'
import { canonicalUpdate, clientIdOf, extractEnvelopes } from '../../../../src-main/node-table/wire/canonical-update.js'
import { EPOCH_MS } from '../../../../src-main/node-table/wire/epoch.js'
import { createFramePipe } from '../../../fixtures/frame-pipe.js'
import { createRecordingLog } from '../../../fixtures/recording-log.js'
import {
  createOwners,
  createTurnableClock,
  TODAY,
  type Owner,
  type TurnableClock,
} from '../../../fixtures/table-owners.js'
import { createTableParts, type TableParts, type TablePartsOptions } from '../../../fixtures/table-parts.js'

const NOON = EPOCH_MS / 2
const MINUTE = 60_000
const MAX = 1 << 20
let owners: Owner[]
let clock: TurnableClock
let table: TableParts

beforeAll(async () => {
  owners = await createOwners(40)
})

beforeEach(() => {
  clock = createTurnableClock()
  table = createTableParts({ clock })
})

const doc = ({ documents }: TableParts = table): Y.Doc => documents.get(TODAY)!
const updates = (clocks: ReadonlyMap<number, number> = new Map()): Uint8Array[] => [
  ...table.documents.updatesSince(clocks),
]
/** Whose rows a sync would send. */
function sent(clocks?: ReadonlyMap<number, number>): string[] {
  const envelopes = updates(clocks).flatMap((update) => extractEnvelopes(update, MAX) ?? [])
  const keysSent = new Set(envelopes.map((bytes) => Buffer.from(bytes.subarray(1, 33)).toString('hex')))
  const isSent = ({ privateKey }: Owner): boolean => keysSent.has(Buffer.from(privateKey.publicKey.raw).toString('hex'))
  return owners.filter(isSent).map(({ peerId }) => peerId)
}
const inOrder = (envelopes: readonly Uint8Array[]): Uint8Array[] => envelopes.toSorted((a, b) => Buffer.compare(a, b))
const clocksOf = (stock: Y.Doc): Map<number, number> => Y.decodeStateVector(Y.encodeStateVector(stock))

describe('a row reaches the view, a sync and the disk through the Yjs document, and no other way', () => {
  /** Changes in it are heard by no one, and what is read of it is empty. */
  class DeafDoc extends Y.Doc {
    override getMap<T>(): Y.Map<T> {
      return new Y.Doc().getMap<T>('nodes')
    }
  }

  /** Every client id has passed all clocks of the day: Yjs applies nothing that comes. */
  function createPassedDoc(): Y.Doc {
    const passed = new Y.Doc()
    const last = owners.map(({ peerId }) => {
      const clientId = clientIdOf(peerId, TODAY)
      return { peerId, epoch: TODAY, seq: EPOCH_MS, clientId, bytes: new Uint8Array(1) }
    })
    Y.applyUpdate(passed, canonicalUpdate(last))
    return passed
  }

  async function replicate(options: Partial<TablePartsOptions>): Promise<object> {
    const log = createRecordingLog()
    const appended: Uint8Array[] = []
    const store = { append: (_: number, update: Uint8Array) => appended.push(update) } as unknown as TableStore
    const side = (parts: TableParts): SessionNeeds => ({
      ...{ ...parts, clock },
      limits: createSenderLimits({ monotonic: clock, log }),
      clockWatch: createClockWatch({ clock, monotonic: clock, log, sourceOf: (peerId) => peerId }),
    })
    const [from, to] = [createTableParts({ clock, ...options }), createTableParts({ clock })]
    createTableReplica({ ...from, store, clock, log })
    const verdicts = owners.map((owner) => from.ingest(owner.row(), 'gossip'))
    const [left, right] = createFramePipe()
    await Promise.all([initiateSync(side(from), left, 'to', { inFull: true }), respondToSync(side(to), right, 'from')])
    return {
      accepted: verdicts.filter((verdict) => verdict === 'accepted').length,
      viewed: from.view.size,
      synced: to.view.size,
      stored: appended.flatMap((update) => extractEnvelopes(update, MAX) ?? []).length,
    }
  }

  test('with the documents as they are, all of them do', async () => {
    const all = owners.length
    expect(await replicate({})).toEqual({ accepted: all, viewed: all, synced: all, stored: all })
  })

  test.each([
    ['does not report what changes in it', () => new DeafDoc()],
    ['does not apply what it is given', createPassedDoc],
  ])('with a document that %s, none does', async (_, createDoc) => {
    expect(await replicate({ createDoc })).toEqual({ accepted: owners.length, viewed: 0, synced: 0, stored: 0 })
  })
})

describe('a sync sends what stands in the document', () => {
  beforeEach(() => {
    for (const owner of owners) table.ingest(owner.row(), 'sync')
  })

  test('and not what the view alone has', () => {
    const [alice] = owners
    doc().store.clients.delete(clientIdOf(alice!.peerId, TODAY))
    expect(table.view.get(alice!.peerId)).toBeDefined()
    expect(sent()).toEqual(owners.slice(1).map(({ peerId }) => peerId))
    expect(table.documents.clocks().size).toBe(owners.length - 1)
  })

  test('with the structs that Yjs would send, without its delete set', () => {
    const clocks = clocksOf(doc())
    for (const owner of owners.slice(0, 5)) table.ingest(owner.row({ seq: NOON + 1 }), 'sync')
    const byYjs = Y.encodeStateAsUpdate(doc(), Y.encodeStateVector(clocks))
    const [update] = updates(clocks)
    const [theirs, ours] = [byYjs, update!].map((bytes) => Y.decodeUpdate(bytes))
    expect(ours!.structs).toEqual(theirs!.structs)
    expect([ours!.ds.clients.size, theirs!.ds.clients.size]).toEqual([0, owners.length])
    expect(update!.byteLength).toBeLessThan(byYjs.byteLength)
  })

  test('as stock Yjs reads it: whole, then the difference, to the same bytes', () => {
    const stock = new Y.Doc()
    for (const update of updates()) Y.applyUpdate(stock, update)
    expect(Y.encodeStateAsUpdate(stock)).toEqual(Y.encodeStateAsUpdate(doc()))
    for (const owner of owners.slice(0, 5)) table.ingest(owner.row({ seq: NOON + 1, models: ['new'] }), 'sync')
    table.ingest(owners[6]!.withdrawal({ seq: NOON + 1 }), 'sync')
    expect(sent(clocksOf(stock))).toHaveLength(6)
    for (const update of updates(clocksOf(stock))) Y.applyUpdate(stock, update)
    expect(Y.encodeStateAsUpdate(stock)).toEqual(Y.encodeStateAsUpdate(doc()))
    expect(Object.fromEntries(stock.getMap('nodes').entries())).toEqual(
      Object.fromEntries([...table.view.all()].map(({ peerId, bytes }) => [peerId, bytes])),
    )
  })

  test('byte by byte as the canonical update of these rows', () => {
    const rows = [...table.view.all()].map((entry) => ({ ...entry, clientId: clientIdOf(entry.peerId, TODAY) }))
    expect(updates()).toEqual([canonicalUpdate(rows)])
  })

  test('and the view has no copy of its bytes', () => {
    for (const { peerId, bytes } of table.view.all()) expect(doc().getMap('nodes').get(peerId)).toBe(bytes)
    table.documents.rebuild(TODAY)
    for (const { peerId, bytes } of table.view.all()) expect(doc().getMap('nodes').get(peerId)).toBe(bytes)
  })
})

describe('a row that was removed', () => {
  let alice: Owner

  beforeEach(() => {
    alice = owners[0]!
    for (const owner of owners.slice(0, 3)) table.ingest(owner.row(), 'sync')
  })

  const others = (): string[] => owners.slice(1, 3).map(({ peerId }) => peerId)

  test('for an equivocation is in no sync but as its proof, and older ones do not come back', () => {
    const [one, two] = [alice.row(), alice.row({ models: ['two'] })]
    expect(table.ingest(two, 'sync')).toBe('equivocation')
    const [rows, proof] = updates().map((update) => extractEnvelopes(update, MAX) ?? [])
    expect([rows!.length, inOrder(proof!)]).toEqual([2, inOrder([one, two])])
    expect(table.documents.clocks().size).toBe(others().length + 2)
    clock.turn(10 * MINUTE)
    expect(table.ingest(alice.row({ seq: NOON - 1 }), 'sync')).toBe('known')
    expect(table.ingest(alice.row({ models: ['three'] }), 'sync')).toBe('known')
    table.documents.keepOnly(TODAY - 1, TODAY + 1, clock.now())
    expect(sent()).toEqual(others())
    expect(table.ingest(alice.row({ seq: NOON + 1, leaseMs: 60 * MINUTE }), 'sync')).toBe('accepted')
    expect([table.view.get(alice.peerId)?.seq, sent().length]).toEqual([NOON + 1, 3])
  })

  test('from a full table is in no sync, comes back as it was, and is then sent again', () => {
    table = createTableParts({ clock, maxRows: 2 })
    for (const owner of owners.slice(0, 2)) table.ingest(owner.row(), 'sync')
    table.ingest(owners[2]!.row(), 'asked')
    expect(sent()).toEqual(others())
    expect(doc().getMap('nodes').has(alice.peerId)).toBe(true)
    expect(table.ingest(alice.row(), 'sync')).toBe('full')
    expect(table.ingest(alice.row(), 'asked')).toBe('accepted')
    expect([table.view.get(alice.peerId)?.seq, sent().includes(alice.peerId), sent().length]).toEqual([NOON, true, 2])
  })

  test('is gone from the document once that was rebuilt', () => {
    table.view.remove(alice.peerId, 'over-quota')
    table.documents.rebuild(TODAY)
    expect([doc().getMap('nodes').size, table.documents.size(TODAY), sent()]).toEqual([2, 2, others()])
    expect(table.ingest(alice.row(), 'sync')).toBe('accepted')
    expect(sent()).toHaveLength(3)
  })

  test('because it is from a time still to come makes way for one of now', () => {
    clock.step(60 * MINUTE)
    table.ingest(alice.row({ seq: NOON + 60 * MINUTE }), 'sync')
    clock.step(-60 * MINUTE)
    expect(table.view.sweep(clock.now() + 2 * MINUTE)).toBe(true)
    expect(sent()).toEqual(others())
    expect(table.ingest(alice.row({ seq: NOON + 1 }), 'sync')).toBe('accepted')
    expect([table.view.get(alice.peerId)?.seq, sent().length, table.view.size]).toEqual([NOON + 1, 3, 3])
    expect(table.documents.clocks().get(clientIdOf(alice.peerId, TODAY))).toBe(NOON + 2)
  })

  test('by a newer one of the next epoch is sent no more', () => {
    clock.turn(EPOCH_MS / 2)
    table.ingest(alice.row({ epoch: TODAY + 1, seq: 0 }), 'sync')
    expect(doc().getMap('nodes').has(alice.peerId)).toBe(true)
    const asText = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
    const envelopes = updates().flatMap((update) => extractEnvelopes(update, MAX) ?? [])
    expect(envelopes.map(asText).sort()).toEqual([...table.view.all()].map(({ bytes }) => asText(bytes)).sort())
    table.documents.keepOnly(TODAY + 1, TODAY + 1, clock.now())
    expect(table.documents.size(TODAY)).toBe(0)
  })
})
