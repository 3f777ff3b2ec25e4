import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { decodeGossipMessage } from '../../../src-main/node-table/replicate/gossip.js'
import type { TableView } from '../../../src-main/node-table/view/view.js'
import { canonicalUpdate, clientIdOf, extractEnvelopes } from '../../../src-main/node-table/wire/canonical-update.js'
import { isSignedByOwner, parseEnvelope, recordOf } from '../../../src-main/node-table/wire/envelope.js'
import { createKeyRing } from '../../../src-main/node-table/wire/key-ring.js'
import { decodeStatusAnswer, decodeStatusRequest } from '../../../src-main/node-table/wire/status-message.js'
import { decodeFrame, encodeFrame, FRAME_LENGTH_BYTES } from '../../../src-main/node-table/wire/sync-frames.js'
import { createRecordingLog } from '../../fixtures/recording-log.js'
import { createTurnableClock } from '../../fixtures/table-owners.js'
import { createTableParts, type TableParts } from '../../fixtures/table-parts.js'

/** What nodes of the first version said. The bytes stand: test/fixtures/wire/record.ts made them once. */
interface Recorded {
  owners: { alice: string; bob: string }
  stamp: { epoch: number; seq: number; leaseMs: number }
  timeMs: number
  envelopes: { row: string; withdrawal: string }
  gossip: string[]
  update: string
  frames: Record<'hello' | 'same' | 'state' | 'rows' | 'taken' | 'enough' | 'end', string>
  status: { request: string; answer: string; says: Record<string, unknown> }
}

const FILE = resolve(import.meta.dirname, '..', '..', 'fixtures', 'wire', 'v1.json')
const v1 = JSON.parse(readFileSync(FILE, 'utf8')) as Recorded
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))
const row = bytes(v1.envelopes.row)
const withdrawal = bytes(v1.envelopes.withdrawal)
const keys = createKeyRing()
const NONCE = Uint8Array.from({ length: 16 }, (_, index) => index)

/** The same bytes under another version. */
function versioned(message: Uint8Array, version: number): Uint8Array {
  const changed = Uint8Array.from(message)
  changed[0] = version
  return changed
}

let table: TableParts
let view: TableView
let log: ReturnType<typeof createRecordingLog>
beforeEach(() => {
  log = createRecordingLog()
  table = createTableParts({ clock: createTurnableClock(v1.timeMs), keys, log })
  view = table.view
})

describe('what nodes of version 1 said is still understood', () => {
  test('envelopes: a row and a withdrawal, with their signatures', () => {
    const parsed = parseEnvelope(row, keys)
    if (parsed.type !== 'envelope') throw new Error(parsed.type)
    expect(parsed.envelope).toMatchObject({ peerId: v1.owners.alice, ...v1.stamp })
    expect(isSignedByOwner(parsed.envelope, keys)).toBe(true)
    const record = recordOf(parsed.envelope)
    expect(record).toMatchObject({ service: [{ identity_group: ['model=gpt2', 'model=llama3.2:1b'] }] })
    const gone = parseEnvelope(withdrawal, keys)
    if (gone.type !== 'envelope') throw new Error(gone.type)
    expect(isSignedByOwner(gone.envelope, keys)).toBe(true)
    expect(recordOf(gone.envelope)).toBe('withdrawn')
  })

  test('gossip and updates carry these envelopes', () => {
    expect(v1.gossip.flatMap((message) => decodeGossipMessage(bytes(message)))).toEqual([row, withdrawal])
    const found = extractEnvelopes(bytes(v1.update), 1 << 20) ?? []
    expect(found.map((envelope) => Buffer.from(envelope).toString('hex')).sort()).toEqual(
      [v1.envelopes.row, v1.envelopes.withdrawal].sort(),
    )
    for (const envelope of found) expect(table.ingest(envelope, 'sync')).toBe('accepted')
    expect(view.size).toBe(1)
  })

  test('an update is still written byte by byte the same', () => {
    const entry = (peerId: string, envelope: Uint8Array) => {
      const { epoch, seq } = v1.stamp
      return { clientId: clientIdOf(peerId, epoch), peerId, epoch, seq, bytes: envelope }
    }
    const update = canonicalUpdate([entry(v1.owners.bob, withdrawal), entry(v1.owners.alice, row)])
    expect(Buffer.from(update).toString('hex')).toBe(v1.update)
  })

  test.each(Object.entries(v1.frames))('the sync frame %s, read and written', (type, recorded) => {
    const frame = decodeFrame(bytes(recorded).subarray(FRAME_LENGTH_BYTES))
    expect(frame?.type).toBe(type)
    if (frame !== undefined && 'timeMs' in frame) expect(frame.timeMs).toBe(v1.timeMs)
    expect(Buffer.from(encodeFrame(frame!)).toString('hex')).toBe(recorded)
  })

  test('the question for a status and its signed answer', () => {
    expect(decodeStatusRequest(bytes(v1.status.request))).toEqual({ nonce: NONCE, wantsRow: true })
    const answer = decodeStatusAnswer(bytes(v1.status.answer), { nonce: NONCE, asker: v1.owners.bob }, verifyKey())
    expect(answer).toEqual({ status: v1.status.says, row })
  })
})

describe('what a newer version says is refused without harm', () => {
  test('an envelope is set aside: not taken, not held against who brought it', () => {
    for (const version of [2, 255]) {
      expect(parseEnvelope(versioned(row, version), keys)).toEqual({ type: 'newer-version' })
      expect(table.ingest(versioned(row, version), 'gossip')).toBe('newer-version')
    }
    expect([view.size, view.entryCount]).toEqual([0, 0])
    expect(table.ingest(row, 'gossip')).toBe('accepted')
  })

  test('version 0 was never spoken: it is malformed', () => {
    expect(parseEnvelope(versioned(row, 0), keys)).toEqual({ type: 'malformed' })
  })

  test('a sync frame of a type nobody knows is no frame', () => {
    for (const type of [7, 8, 255]) {
      const frame = bytes(v1.frames.hello).subarray(FRAME_LENGTH_BYTES)
      expect(decodeFrame(versioned(frame, type))).toBeUndefined()
    }
  })

  test('questions for a status and answers of another version are none', () => {
    for (const version of [0, 2, 255]) {
      expect(decodeStatusRequest(versioned(bytes(v1.status.request), version))).toBeUndefined()
      const context = { nonce: NONCE, asker: v1.owners.bob }
      expect(decodeStatusAnswer(versioned(bytes(v1.status.answer), version), context, verifyKey())).toBeUndefined()
    }
  })
})

function verifyKey() {
  const key = keys.get(row.subarray(1, 33))
  if (key === undefined) throw new Error('the recorded row has no key')
  return key.verifyKey()
}
