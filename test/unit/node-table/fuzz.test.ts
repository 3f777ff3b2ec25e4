import { generateKeyPairFromSeed } from '@libp2p/crypto/keys'
import { beforeAll, expect, test } from 'vitest'
import { canonicalUpdate, clientIdOf, extractEnvelopes } from '../../../src-main/node-table/canonical-update.js'
import { isSignedByOwner, parseEnvelope, recordOf } from '../../../src-main/node-table/envelope.js'
import { EPOCH_MS } from '../../../src-main/node-table/epoch.js'
import { decodeGossipMessage, encodeGossipMessages } from '../../../src-main/node-table/gossip-message.js'
import { createKeyRing } from '../../../src-main/node-table/key-ring.js'
import { decodeRecord, encodeRecord } from '../../../src-main/node-table/record-json.js'
import { importPrivateKey } from '../../../src-main/node-table/signing-key.js'
import {
  decodeStatusAnswer,
  decodeStatusRequest,
  encodeStatusAnswer,
  encodeStatusRequest,
} from '../../../src-main/node-table/status-message.js'
import { decodeFrame, encodeFrame, FRAME_LENGTH_BYTES } from '../../../src-main/node-table/sync-frames.js'
import type { SyncFrame } from '../../../src-main/node-table/sync-frames.js'
import { createTableView } from '../../../src-main/node-table/view.js'
import { createRecordingLog } from '../../fixtures/recording-log.js'
import {
  createOwners,
  createRandom,
  createTurnableClock,
  mutate,
  recordOffering,
  TODAY,
} from '../../fixtures/table-owners.js'
import type { Owner } from '../../fixtures/table-owners.js'

/** Mutated inputs for each parser; `OCF_FUZZ=full` takes as many as the design asks for. */
const INPUTS = process.env['OCF_FUZZ'] === 'full' ? 100_000 : 10_000
/** Milliseconds one input may take on average, on a machine with other things to do. */
const MEAN_MS = 1
const FULL_RUN_MS = 120_000

const keys = createKeyRing()
const clock = createTurnableClock()
const context = { nonce: new Uint8Array(16).fill(7), asker: 'somebody' }
let owners: Owner[]

beforeAll(async () => {
  owners = await createOwners(3)
})

/** Feeds a parser with what has come of genuine inputs, and with nothing that is still genuine. */
function feed(seed: number, genuine: readonly Uint8Array[], parse: (bytes: Uint8Array) => void): void {
  const random = createRandom(seed)
  const originals = new Set(genuine.map((bytes) => Buffer.from(bytes).toString('latin1')))
  const startedAt = performance.now()
  for (let input = 0; input < INPUTS; input += 1) {
    const bytes = mutate(genuine[input % genuine.length]!, random)
    if (originals.has(Buffer.from(bytes).toString('latin1'))) continue
    parse(bytes)
  }
  expect((performance.now() - startedAt) / INPUTS).toBeLessThan(MEAN_MS)
}

const updateOf = (bytes: readonly Uint8Array[]): Uint8Array =>
  canonicalUpdate(
    bytes.map((envelope, index) => ({
      ...{ peerId: owners[index]!.peerId, epoch: TODAY, seq: index * 5, bytes: envelope },
      clientId: clientIdOf(owners[index]!.peerId, TODAY),
    })),
  )

test('no mutated envelope is taken for its owner’s, and none makes the parser throw', { timeout: FULL_RUN_MS }, () => {
  let signatures = 0
  feed(1, [owners[0]!.row(), owners[1]!.withdrawal()], (bytes) => {
    const parsed = parseEnvelope(bytes, keys)
    if (parsed.type !== 'envelope') return
    recordOf(parsed.envelope)
    signatures += 1
    if (signatures <= 2000) expect(isSignedByOwner(parsed.envelope, keys)).toBe(false)
  })
  expect(signatures).toBeGreaterThan(1000)
})

test('no mutated update or gossip message makes its parser throw or changes a view', { timeout: FULL_RUN_MS }, () => {
  const view = createTableView({ clock, keys, log: createRecordingLog() }, { selfId: 'self' })
  for (const owner of owners) view.ingest(owner.row({ seq: EPOCH_MS / 2 + 1 }), 'gossip')
  const before = view.digest()
  const envelopes = [owners[0]!.row(), owners[1]!.row()]
  feed(2, [updateOf(envelopes)], (bytes) => {
    for (const envelope of extractEnvelopes(bytes, 1024 * 1024) ?? []) view.ingest(envelope, 'sync')
  })
  feed(3, encodeGossipMessages(envelopes), (bytes) => {
    for (const envelope of decodeGossipMessage(bytes) ?? []) view.ingest(envelope, 'gossip')
  })
  expect([view.digest(), view.entryCount]).toEqual([before, owners.length])
})

test('no mutated sync frame makes the parser throw', { timeout: FULL_RUN_MS }, () => {
  const clocks = new Map([
    [2 ** 53 - 1, 5],
    [7, EPOCH_MS],
  ])
  const frames: SyncFrame[] = [
    { type: 'hello', digest: new Uint8Array(16).fill(9), timeMs: clock.now() },
    { type: 'same', timeMs: clock.now() },
    { type: 'state', clocks, timeMs: clock.now() },
    { type: 'rows', update: updateOf([owners[0]!.row()]) },
  ]
  feed(
    4,
    frames.map((frame) => encodeFrame(frame).subarray(FRAME_LENGTH_BYTES)),
    (bytes) => void decodeFrame(bytes),
  )
})

test('no mutated record makes the parser throw', { timeout: FULL_RUN_MS }, () => {
  const record = recordOffering(owners[0]!.peerId, ['gpt2', 'llama3.2'])
  feed(5, [Buffer.from(encodeRecord(record))], (bytes) => void decodeRecord(bytes))
})

test(
  'no mutated status request or answer makes the parser throw or is taken for the peer’s',
  {
    timeout: FULL_RUN_MS,
  },
  async () => {
    const privateKey = await generateKeyPairFromSeed('Ed25519', new Uint8Array(32).fill(3))
    const verifyKey = keys.get(privateKey.publicKey.raw)!.verifyKey()
    const answer = encodeStatusAnswer(
      { slotsTotal: 4, slotsFree: 1, queueLength: 2, paused: null, offers: 'abc', version: '1', timeMs: clock.now() },
      context,
      importPrivateKey(privateKey),
      owners[0]!.row(),
    )
    feed(6, [encodeStatusRequest({ nonce: context.nonce, wantsRow: true })], (bytes) => void decodeStatusRequest(bytes))
    const signed = answer.byteLength - 2 - owners[0]!.row().byteLength
    feed(7, [answer], (bytes) => {
      const decoded = decodeStatusAnswer(bytes, context, verifyKey)
      // Behind the signature comes the row, which carries its own.
      if (typeof decoded === 'object') expect(bytes.subarray(0, signed)).toEqual(answer.subarray(0, signed))
    })
  },
)
